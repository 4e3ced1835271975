#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace iso::bench {

/// What would be news.
enum class Alternative {
    two_sided,
    greater, ///< the values lie above zero; the first sample lies above the second
    less,
};

/// How surprising what was seen is, when nothing differs.
struct RankTest {
    double p = 1;
    double statistic =
        0;             ///< signed rank: the sum of the positive ranks; rank sum: Mann-Whitney's U
    std::size_t n = 0; ///< values that count: those that are not zero, or all of both samples
    bool exact = true; ///< from the distribution itself, not from its normal approximation
};

/// Up to so many values the distribution is computed, above it is approximated.
inline constexpr std::size_t k_exact_signed_rank = 64;
/// The same, of both samples together.
inline constexpr std::size_t k_exact_rank_sum = 40;

/// Wilcoxon's signed-rank test of differences in pairs (Biometrics Bulletin 1, 1945).
///
/// Zeros are left out, as Wilcoxon did. Ties share their mean rank; the exact distribution is the
/// one given those ranks (every sign equally likely), the approximation corrects its variance for
/// ties and its step by half. Without a value that differs from zero p is 1.
RankTest signed_rank_test(std::vector<double> const& differences,
                          Alternative alternative = Alternative::two_sided);

/// The rank-sum test of Mann, Whitney and Wilcoxon: two samples that are not paired.
RankTest rank_sum_test(std::vector<double> const& first, std::vector<double> const& second,
                       Alternative alternative = Alternative::two_sided);

} // namespace iso::bench
