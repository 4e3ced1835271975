#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace iso::bench {

/// When a split of a series is a change. The defaults are history's.
struct ChangePointRule {
    double level = 0.01;         ///< of the permutation test
    std::size_t least = 2;       ///< points on each side of a change, at least
    unsigned permutations = 999; ///< the smallest p is 1 / (this + 1)
    std::uint64_t seed = 1;      ///< the same series and seed give the same answer
};

/// A place where a series changes: the first point of what is new.
struct ChangePoint {
    std::size_t index = 0;
    double statistic = 0; ///< Matteson and James's Q, in the unit of the values
    double p = 1;
};

/// The split of a series that differs most.
struct Split {
    std::size_t index = 0; ///< the first point of the right side
    std::size_t end = 0;   ///< one past the right side, which need not reach the end of the series
    double statistic = 0;
};

/// The largest Q over all splits into [0, index) and [index, end) with `least` points on each side
/// (Matteson and James, Journal of the American Statistical Association 109, 2014, equations 5 to
/// 7, with exponent 1): n m / (n + m) times the energy distance of the two sides. The end is free
/// so that a later change back does not hide an earlier one. Statistic 0: too short, or all the
/// same. Time: square of the length.
Split best_split(std::vector<double> const& values, std::size_t least);

/// E-divisive: divides where the best split of any part is more than the best splits of shuffled
/// parts are (the paper's sections 3.1 and 3.2), until none is. In the order of the series. Finds
/// changes of any kind, not of the mean alone; which of them matter is the caller's question.
std::vector<ChangePoint> change_points(std::vector<double> const& values,
                                       ChangePointRule const& rule = {});

/// The fewest points in which a change with `newest` points after it can be found at all: with
/// fewer, too large a share of all orders of the points looks as orderly.
std::size_t fewest_points_for_change(ChangePointRule const& rule, std::size_t newest);

} // namespace iso::bench
