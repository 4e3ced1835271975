#include "benchmarks/statistics/median.hpp"

#include "benchmarks/statistics/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace iso::bench {

double quantile(std::vector<double> values, double p) {
    double const place = p * static_cast<double>(values.size() - 1);
    auto const below = static_cast<std::ptrdiff_t>(std::floor(place));
    double const fraction = place - static_cast<double>(below);
    std::nth_element(values.begin(), values.begin() + below, values.end());
    double const low = values[static_cast<std::size_t>(below)];
    if (fraction == 0) return low;
    double const high = *std::min_element(values.begin() + below + 1, values.end());
    return low + fraction * (high - low);
}

Interval bootstrap_median(std::vector<double> const& values, std::uint64_t seed, unsigned resamples,
                          double level) {
    Random random(seed);
    std::vector<double> medians(resamples);
    std::vector<double> drawn(values.size());
    for (double& one : medians) {
        for (double& value : drawn)
            value = values[random.below(values.size())];
        one = median(drawn);
    }
    double const tail = (1 - level) / 2;
    return {quantile(medians, tail), quantile(medians, 1 - tail)};
}

} // namespace iso::bench
