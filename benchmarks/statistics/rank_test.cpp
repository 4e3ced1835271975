#include "benchmarks/statistics/rank_test.hpp"

#include "benchmarks/statistics/ranks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace iso::bench {

namespace {

double exact_p(SumDistribution const& distribution, std::uint64_t sum, Alternative alternative) {
    switch (alternative) {
    case Alternative::greater:
        return distribution.at_least(sum);
    case Alternative::less:
        return distribution.at_most(sum);
    case Alternative::two_sided:
        break;
    }
    double const tail = std::min(distribution.at_least(sum), distribution.at_most(sum));
    return std::min(1.0, 2 * tail);
}

/// Half a step towards the middle: the sum jumps, the normal distribution does not.
double normal_p(double statistic, double mean, double variance, Alternative alternative) {
    if (variance <= 0) return 1;
    double const distance = statistic - mean;
    double const deviation = std::sqrt(variance);
    switch (alternative) {
    case Alternative::greater:
        return 1 - normal_cdf((distance - 0.5) / deviation);
    case Alternative::less:
        return normal_cdf((distance + 0.5) / deviation);
    case Alternative::two_sided:
        break;
    }
    return std::min(1.0, 2 * normal_cdf(-(std::abs(distance) - 0.5) / deviation));
}

} // namespace

RankTest signed_rank_test(std::vector<double> const& differences, Alternative alternative) {
    std::vector<double> sizes;
    std::vector<bool> positive;
    for (double const difference : differences) {
        if (difference == 0) continue;
        sizes.push_back(std::abs(difference));
        positive.push_back(difference > 0);
    }
    RankTest test;
    test.n = sizes.size();
    if (sizes.empty()) return test;
    std::vector<std::uint32_t> const ranks = doubled_midranks(sizes);
    std::uint64_t doubled = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i)
        if (positive[i]) doubled += ranks[i];
    test.statistic = static_cast<double>(doubled) / 2;
    test.exact = test.n <= k_exact_signed_rank;
    if (test.exact) {
        test.p = exact_p(sign_flip_distribution(ranks), doubled, alternative);
        return test;
    }
    auto const n = static_cast<double>(test.n);
    double const variance = n * (n + 1) * (2 * n + 1) / 24 - tie_term(sizes) / 48;
    test.p = normal_p(test.statistic, n * (n + 1) / 4, variance, alternative);
    return test;
}

RankTest rank_sum_test(std::vector<double> const& first, std::vector<double> const& second,
                       Alternative alternative) {
    RankTest test;
    test.n = first.size() + second.size();
    if (first.empty() || second.empty()) return test;
    std::vector<double> all = first;
    all.insert(all.end(), second.begin(), second.end());
    std::vector<std::uint32_t> const ranks = doubled_midranks(all);
    std::uint64_t doubled = 0;
    for (std::size_t i = 0; i < first.size(); ++i)
        doubled += ranks[i];
    auto const n1 = static_cast<double>(first.size());
    auto const n2 = static_cast<double>(second.size());
    test.statistic = static_cast<double>(doubled) / 2 - n1 * (n1 + 1) / 2;
    test.exact = test.n <= k_exact_rank_sum;
    if (test.exact) {
        test.p = exact_p(draw_distribution(ranks, first.size()), doubled, alternative);
        return test;
    }
    double const n = n1 + n2;
    double const variance = n1 * n2 / 12 * (n + 1 - tie_term(all) / (n * (n - 1)));
    test.p = normal_p(test.statistic, n1 * n2 / 2, variance, alternative);
    return test;
}

} // namespace iso::bench
