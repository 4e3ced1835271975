#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iso::bench {

/// One thing about the machine.
struct Fact {
    std::string key;   ///< "cpu.model": what JSON says
    std::string title; ///< "CPU": what a person reads
    std::string text;
    std::optional<double> number; ///< when it is one
};

/// What a number depends on and no program can change: kept with every result.
struct Environment {
    std::vector<Fact> facts;
    std::vector<std::string> warnings; ///< what makes this machine a noisy or a special one

    /// Reads it now. Takes no privileges; what cannot be read says so.
    static Environment capture();

    /// The text of a fact, or "".
    [[nodiscard]] std::string get(std::string_view key) const;
    [[nodiscard]] std::optional<double> number(std::string_view key) const;
};

} // namespace iso::bench
