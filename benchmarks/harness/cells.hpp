#pragma once

#include "benchmarks/harness/row.hpp"

#include <vector>

namespace iso::bench {

/// What the cells of one workload are made from.
struct CellInput {
    Row const& row;
    std::vector<Arm> const& arms;
    std::vector<Sample> const& samples; ///< of all workloads
    std::uint64_t seed = 0;
    unsigned resamples = 4000;
};

/// CPU time and wall time disagree when more than this share lies between their intervals.
inline constexpr double k_opinions_apart = 0.05;

/// The cells of one workload: its deciding metric (two for start-up) and the others, in every arm.
std::vector<Cell> make_cells(CellInput const& input);

/// Whether more blocks would not tell a reader more.
bool is_narrow(Cell const& cell);

} // namespace iso::bench
