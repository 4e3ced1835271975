#pragma once

#include "benchmarks/harness/results.hpp"
#include "common/result.hpp"

#include <string>
#include <vector>

namespace iso::bench::report {

/// One result file.
struct Input {
    std::string name; ///< of the file, without its folder
    Results results;
};

/// Reads them all, as the gate does. Errors (exit status 2): one that cannot be read, is truncated
/// or of another schema, contradicts itself, or is there twice. Nothing of them is ever averaged.
Result<std::vector<Input>> read_inputs(std::vector<std::string> const& paths);

/// Why two results cannot be compared number by number: other machine, other bytes, other version.
/// Empty when they can.
std::vector<std::string> differences(Results const& first, Results const& second);

} // namespace iso::bench::report
