#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/harness/text.hpp"

#include <string>

namespace iso::bench {

/// Everything `isobench compare` prints: machine, what was seen in words, the table, legend,
/// what went wrong.
std::string render(Results const& results, TableStyle const& style);

/// The table alone: engines as columns, workloads as rows.
std::string render_table(Results const& results, TableStyle const& style);

} // namespace iso::bench
