#pragma once

#include "benchmarks/harness/results.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// A comparison as other programs read it. A cell without a number is left out or said to have
/// failed, as the format allows; it is never 0.

/// Tidy: one row for each sample, one column for each thing about it, RFC 4180.
std::string to_csv(Results const& results);

/// Google Benchmark's JSON, one "iteration" entry for each block, so that its compare.py tests
/// them. `real_time` and `cpu_time` are the deciding metric; cells without a number have
/// `error_occurred`.
std::string to_google_benchmark(Results const& results);

/// github-action-benchmark's customSmallerIsBetter: ratios to native and added milliseconds.
std::string to_smaller_is_better(Results const& results);

/// One test case for each deciding cell: void and failed ones fail, missing ones are skipped.
std::string to_junit(Results const& results);

/// For a pull request: the table, what went wrong, the rest folded.
std::string to_markdown(Results const& results);

/// The names that format_results() knows.
std::vector<std::string> const& format_names();

/// Precondition: a name of format_names().
std::string format_results(Results const& results, std::string const& format);

} // namespace iso::bench
