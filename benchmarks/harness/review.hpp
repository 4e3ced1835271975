#pragma once

#include "benchmarks/harness/results.hpp"

namespace iso::bench {

/// Looks over finished results and adds warnings: a control arm that misses 1.00, clocks that
/// disagree, a busy or changing machine.
void review(Results& results);

} // namespace iso::bench
