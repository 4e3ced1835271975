#pragma once

#include "benchmarks/statistics/median.hpp"

#include <optional>
#include <vector>

namespace iso::bench {

/// How much, beside how surprising.
struct Shift {
    double estimate = 0;
    /// Nothing when there are too few values for an interval of that level.
    std::optional<Interval> interval;
};

/// Hodges and Lehmann's estimate of where differences in pairs lie (Annals of Mathematical
/// Statistics 34, 1963): the median of the means of all pairs of them, a value with itself
/// included. The interval holds the shifts that the signed-rank test does not reject (Walsh means
/// at the test's quantiles). Precondition: not empty.
Shift pairwise_shift(std::vector<double> const& differences, double level = 0.95);

/// The same of two samples that are not paired: the median of all differences first - second.
/// Precondition: neither is empty.
Shift sample_shift(std::vector<double> const& first, std::vector<double> const& second,
                   double level = 0.95);

/// Cliff's delta (Psychological Bulletin 114, 1993): how much more often a value of the first is
/// above one of the second than below; from -1 to 1, and 0 when neither is.
double cliffs_delta(std::vector<double> const& first, std::vector<double> const& second);

} // namespace iso::bench
