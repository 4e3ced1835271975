#include "benchmarks/statistics/effect.hpp"

#include "benchmarks/statistics/rank_test.hpp"
#include "benchmarks/statistics/ranks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace iso::bench {

namespace {

/// The largest k with P(sum < k) <= tail: so many of the sorted means lie outside at either end.
std::size_t count_outside(SumDistribution const& distribution, double tail) {
    double below = 0;
    std::size_t k = 0;
    while (k < distribution.mass.size() && below + distribution.mass[k] <= tail)
        below += distribution.mass[k++];
    return k;
}

/// The same from the normal approximation, with half a step taken off.
std::size_t count_outside(double mean, double variance, double tail) {
    double const k = mean + normal_quantile(tail) * std::sqrt(variance) + 0.5;
    return k <= 0 ? 0 : static_cast<std::size_t>(std::floor(k));
}

/// `means` sorted; `outside` of them cut off at either end.
Shift shift_of(std::vector<double> means, std::size_t outside) {
    Shift shift;
    shift.estimate = median(means);
    if (outside == 0 || 2 * outside > means.size()) return shift;
    std::sort(means.begin(), means.end());
    shift.interval = Interval{means[outside - 1], means[means.size() - outside]};
    return shift;
}

std::vector<std::uint32_t> first_numbers(std::size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 1U);
    return numbers;
}

} // namespace

Shift pairwise_shift(std::vector<double> const& differences, double level) {
    std::vector<double> means;
    means.reserve(differences.size() * (differences.size() + 1) / 2);
    for (std::size_t i = 0; i < differences.size(); ++i)
        for (std::size_t j = i; j < differences.size(); ++j)
            means.push_back((differences[i] + differences[j]) / 2);
    double const tail = (1 - level) / 2;
    auto const n = static_cast<double>(differences.size());
    std::size_t const outside =
        differences.size() <= k_exact_signed_rank
            ? count_outside(sign_flip_distribution(first_numbers(differences.size())), tail)
            : count_outside(n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24, tail);
    return shift_of(std::move(means), outside);
}

Shift sample_shift(std::vector<double> const& first, std::vector<double> const& second,
                   double level) {
    std::vector<double> differences;
    differences.reserve(first.size() * second.size());
    for (double const a : first)
        for (double const b : second)
            differences.push_back(a - b);
    double const tail = (1 - level) / 2;
    std::size_t const all = first.size() + second.size();
    auto const n1 = static_cast<double>(first.size());
    auto const n2 = static_cast<double>(second.size());
    std::size_t outside = 0;
    if (all <= k_exact_rank_sum) {
        // U is the rank sum less its smallest value.
        SumDistribution u = draw_distribution(first_numbers(all), first.size());
        auto const smallest = static_cast<std::ptrdiff_t>(first.size() * (first.size() + 1) / 2);
        u.mass.erase(u.mass.begin(), u.mass.begin() + smallest);
        outside = count_outside(u, tail);
    } else {
        outside = count_outside(n1 * n2 / 2, n1 * n2 * (n1 + n2 + 1) / 12, tail);
    }
    return shift_of(std::move(differences), outside);
}

double cliffs_delta(std::vector<double> const& first, std::vector<double> const& second) {
    std::vector<double> sorted = second;
    std::sort(sorted.begin(), sorted.end());
    double balance = 0;
    for (double const value : first) {
        auto const below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        auto const above = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), value);
        balance += static_cast<double>(below - above);
    }
    if (first.empty() || second.empty()) return 0;
    return balance / (static_cast<double>(first.size()) * static_cast<double>(second.size()));
}

} // namespace iso::bench
