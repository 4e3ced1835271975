#pragma once

#include "benchmarks/statistics/median.hpp"

#include <cstdint>

namespace iso::bench::validation {

/// The exact interval of Clopper and Pearson (Biometrika 26, 1934) for a share of which `hits` of
/// `n` independent trials were seen: in at least `level` of all experiments it holds the true one.
/// Precondition: hits <= n, n > 0.
Interval clopper_pearson(std::uint64_t hits, std::uint64_t n, double level = 0.95);

} // namespace iso::bench::validation
