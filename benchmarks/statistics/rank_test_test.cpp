#include "benchmarks/statistics/random.hpp"
#include "benchmarks/statistics/rank_test.hpp"
#include "benchmarks/statistics/ranks.hpp"
#include "tests/support/catch.hpp"

#include <numeric>

using namespace iso::bench;

TEST_CASE("equal values share the mean of their ranks") {
    CHECK(doubled_midranks({5, 1, 3, 3}) == std::vector<std::uint32_t>{8, 2, 5, 5});
    CHECK(tie_term({1, 3, 3, 3, 7, 7}) == 24 + 6);
}

TEST_CASE("the distributions hold all of the probability") {
    for (auto const& mass : {sign_flip_distribution({2, 4, 6, 8, 11, 11}).mass,
                             draw_distribution({2, 4, 6, 9, 9}, 2).mass})
        CHECK(std::accumulate(mass.begin(), mass.end(), 0.0) == Approx(1));
    CHECK(sign_flip_distribution({1, 2, 3}).at_least(6) == Approx(0.125));
    CHECK(draw_distribution({1, 2, 3, 4}, 2).at_most(3) == Approx(1.0 / 6));
}

TEST_CASE("the normal quantile undoes the distribution") {
    CHECK(normal_quantile(0.975) == Approx(1.959963984540054));
    for (double const p : {1e-9, 0.01, 0.5, 0.83})
        CHECK(normal_cdf(normal_quantile(p)) == Approx(p));
}

TEST_CASE("nothing that differs is no surprise") {
    CHECK(signed_rank_test({}).p == 1);
    CHECK(signed_rank_test({0, 0, 0}).p == 1);
    CHECK(signed_rank_test({0, 0, 0}).n == 0);
    CHECK(rank_sum_test({}, {1, 2}).p == 1);
    CHECK(rank_sum_test({4, 4, 4}, {4, 4}, Alternative::greater).p == Approx(1));
    std::vector<double> const same(100, 4.0);
    CHECK(rank_sum_test(same, same).p == 1); // the approximation has no variance to divide by
}

TEST_CASE("eight pairs are what a two-sided test at 1 % needs") {
    CHECK(signed_rank_test({1, 2, 3, 4, 5, 6, 7}).p > 0.01);
    CHECK(signed_rank_test({1, 2, 3, 4, 5, 6, 7, 8}).p < 0.01);
}

TEST_CASE("where nothing differs a test at 1 % is surprised once in a hundred times") {
    Random random(11);
    unsigned exact = 0;
    unsigned approximate = 0;
    unsigned const experiments = 4000;
    auto draw = [&](std::size_t n) { // skew and heavy tails, but the same on both sides of zero
        std::vector<double> values(n);
        for (double& value : values) {
            auto const size = static_cast<double>(random.below(1000)) / 1000;
            value = (random.below(2) == 0 ? -1 : 1) * size * size * size;
        }
        return values;
    };
    for (unsigned i = 0; i < experiments; ++i) {
        if (signed_rank_test(draw(30), Alternative::greater).p < 0.01) ++exact;
        if (signed_rank_test(draw(100), Alternative::greater).p < 0.01) ++approximate;
    }
    // Fixed seed: facts about the code. 40 is what the level says.
    CHECK(exact > 20);
    CHECK(exact <= 50);
    CHECK(approximate > 20);
    CHECK(approximate <= 55);
}
