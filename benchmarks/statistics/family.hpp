#pragma once

#include <vector>

namespace iso::bench {

/// Holm's step-down adjustment (Scandinavian Journal of Statistics 6, 1979): comparing each
/// adjusted p with a level keeps the chance of any false rejection in the whole family below that
/// level, however the tests depend on one another. In the order of the argument.
std::vector<double> holm(std::vector<double> const& p);

} // namespace iso::bench
