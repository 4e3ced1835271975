#include "benchmarks/statistics/ranks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace iso::bench {

std::vector<std::uint32_t> doubled_midranks(std::vector<double> const& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<std::uint32_t> ranks(values.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t last = first;
        while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]])
            ++last;
        for (std::size_t i = first; i <= last; ++i) // (first + 1 + last + 1) / 2, doubled
            ranks[order[i]] = static_cast<std::uint32_t>(first + last + 2);
        first = last + 1;
    }
    return ranks;
}

double tie_term(std::vector<double> const& values) {
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    double term = 0;
    for (std::size_t first = 0; first < sorted.size();) {
        std::size_t last = first;
        while (last < sorted.size() && sorted[last] == sorted[first])
            ++last;
        auto const t = static_cast<double>(last - first);
        term += t * t * t - t;
        first = last;
    }
    return term;
}

double normal_cdf(double z) {
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double normal_quantile(double p) {
    double low = -40;
    double high = 40;
    for (int i = 0; i < 200; ++i) { // bisection: exact to the last bit, and called rarely
        double const middle = (low + high) / 2;
        (normal_cdf(middle) < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

double SumDistribution::at_most(std::uint64_t sum) const {
    std::size_t const end = std::min<std::size_t>(mass.size(), sum + 1);
    double const total =
        std::accumulate(mass.begin(), mass.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
    return std::min(total, 1.0);
}

double SumDistribution::at_least(std::uint64_t sum) const {
    if (sum >= mass.size()) return 0;
    double const total =
        std::accumulate(mass.begin() + static_cast<std::ptrdiff_t>(sum), mass.end(), 0.0);
    return std::min(total, 1.0);
}

SumDistribution sign_flip_distribution(std::vector<std::uint32_t> const& numbers) {
    std::vector<double> mass(std::accumulate(numbers.begin(), numbers.end(), std::size_t{1}), 0.0);
    mass.at(0) = 1;
    std::size_t highest = 0;
    for (std::uint32_t const number : numbers) {
        highest += number;
        for (std::size_t sum = highest + 1; sum-- > 0;)
            mass[sum] = 0.5 * (mass[sum] + (sum >= number ? mass[sum - number] : 0.0));
    }
    return {std::move(mass)};
}

SumDistribution draw_distribution(std::vector<std::uint32_t> const& numbers, std::size_t count) {
    // Selection sampling: of the numbers not looked at yet, the next is drawn with probability
    // (still to draw) / (still there). State: how many are drawn, and their sum.
    std::size_t const whole = std::accumulate(numbers.begin(), numbers.end(), std::size_t{1});
    std::vector<std::vector<double>> drawn(count + 1, std::vector<double>(whole, 0.0));
    drawn.at(0).at(0) = 1;
    std::size_t highest = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        auto const left = static_cast<double>(numbers.size() - i);
        highest += numbers[i];
        for (std::size_t k = std::min(count, i + 1) + 1; k-- > 0;) {
            double const stay = 1 - static_cast<double>(count - k) / left;
            double const come = k == 0 ? 0 : static_cast<double>(count - k + 1) / left;
            for (std::size_t sum = highest + 1; sum-- > 0;)
                drawn[k][sum] =
                    std::max(stay, 0.0) * drawn[k][sum] +
                    (k > 0 && sum >= numbers[i] ? come * drawn[k - 1][sum - numbers[i]] : 0.0);
        }
    }
    return {std::move(drawn[count])};
}

} // namespace iso::bench
