#pragma once

#include <cstdint>
#include <vector>

namespace iso::bench {

/// The p-quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan,
/// The American Statistician 50, 1996). Precondition: not empty, 0 <= p <= 1.
double quantile(std::vector<double> values, double p);

inline double median(std::vector<double> values) {
    return quantile(std::move(values), 0.5);
}

struct Interval {
    double low = 0;
    double high = 0;

    [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
    [[nodiscard]] double half_width() const { return (high - low) / 2; }
};

/// With fewer values than this an interval for the median would be narrower than it says: with
/// five, smallest to largest covers the median in 15 of 16 cases.
inline constexpr std::size_t k_fewest_for_interval = 5;

/// The percentile bootstrap interval of the median: for display. (A decision needs a test: a
/// bootstrap interval used as one rejects too often; Wilcoxon's signed rank is for that.)
///
/// Deterministic: the same values, seed and number of resamples give the same interval.
Interval bootstrap_median(std::vector<double> const& values, std::uint64_t seed,
                          unsigned resamples = 4000, double level = 0.95);

} // namespace iso::bench
