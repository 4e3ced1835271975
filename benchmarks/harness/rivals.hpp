#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/harness/text.hpp"

namespace iso::bench {

/// A peer beside our engine of the same technique: how many times what ours takes it takes, in the
/// median over the blocks in which both ran. Above 1: ours is faster.
struct Rival {
    std::string ours;
    std::string peer;
    std::string workload;
    std::string metric;
    double ratio = 0;
    std::optional<double> ci_low; ///< 95 % bootstrap
    std::optional<double> ci_high;
    std::uint64_t n = 0; ///< blocks
};

/// Of every deciding cell in which both have a number.
std::vector<Rival> rivals_of(Results const& results);

/// A table for each engine of ours that has peers in this comparison; or "".
std::string render_rivals(Results const& results, TableStyle const& style);

} // namespace iso::bench
