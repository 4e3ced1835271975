#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace iso::bench {

/// Ranks from 1, equal values sharing the mean of theirs. Twice the rank, so that it is whole.
std::vector<std::uint32_t> doubled_midranks(std::vector<double> const& values);

/// The sum over groups of equal values of t^3 - t: what ties take off a rank statistic's variance.
double tie_term(std::vector<double> const& values);

/// P(Z <= z) of the standard normal distribution.
double normal_cdf(double z);

/// The z with P(Z <= z) = p. Precondition: 0 < p < 1.
double normal_quantile(double p);

/// The distribution of a sum of whole numbers: `mass[s]` is P(sum = s).
struct SumDistribution {
    std::vector<double> mass;

    [[nodiscard]] double at_most(std::uint64_t sum) const;
    [[nodiscard]] double at_least(std::uint64_t sum) const;
};

/// Each of the numbers taken or left with probability one half: the sum of the positive ranks when
/// nothing differs, given these ranks (ties included).
SumDistribution sign_flip_distribution(std::vector<std::uint32_t> const& numbers);

/// `count` of the numbers drawn without replacement: the rank sum of one of two samples when
/// nothing differs. Cost: the number of numbers x count x their sum.
SumDistribution draw_distribution(std::vector<std::uint32_t> const& numbers, std::size_t count);

} // namespace iso::bench
