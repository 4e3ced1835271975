#pragma once

#include "common/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iso::bench::report {

/// Where a published figure is from.
struct Source {
    std::string id;
    std::string citation;
    std::string data; ///< where its numbers can be read
    std::string machine;
};

/// A published figure. It is drawn beside ours as a reference, never as what to expect.
struct Reference {
    std::string group; ///< the section of the report
    std::string label;
    std::string value; ///< as published, with its unit
    std::string against;
    std::string source;          ///< a Source's id
    std::optional<double> ratio; ///< to native on that machine, 1 is native's speed
    std::optional<double> p50_ms;
    std::optional<double> p99_ms;
    unsigned n = 0;
};

struct References {
    std::vector<Source> sources;
    std::vector<Reference> figures;

    [[nodiscard]] Source const* find(std::string const& source) const;
    /// Reads a document like references.json. Errors: a key that is missing, an unknown source.
    static Result<References> parse(std::string const& text);
    /// Those of references.json, which is part of the program.
    static Result<References> built_in();
};

} // namespace iso::bench::report
