#pragma once

#include "benchmarks/harness/results_json.hpp"

#include <string>

namespace iso::bench {

/// Reads a result file and checks that it says what such a file can say.
/// Errors (exit status 2): it cannot be read, is truncated or of another schema, or its parts
/// contradict each other; the file is named.
Result<Results> read_results(std::string const& path);

/// Whether the parts of a result agree: every sample and cell belongs to a known workload and
/// column, no run is there twice, blocks are within their number, all hashes of a workload are one.
Result<void> check_results(Results const& results);

} // namespace iso::bench
