#include "benchmarks/statistics/change_points.hpp"
#include "benchmarks/statistics/synthetic_series.hpp"
#include "common/json.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <fstream>

using namespace iso::bench;
using iso::bench::test::SyntheticSeries;
using nlohmann::json;

namespace {

/// The paper's formula for one split, word by word.
double by_definition(std::vector<double> const& z, std::size_t index, std::size_t end) {
    auto mean = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
        double sum = 0;
        double pairs = 0;
        for (std::size_t i = a; i < b; ++i)
            for (std::size_t j = c; j < d; ++j) {
                if (a == c && j <= i) continue; // of a side with itself: each pair once
                sum += std::abs(z[i] - z[j]);
                ++pairs;
            }
        return sum / pairs;
    };
    auto const n = static_cast<double>(index);
    auto const m = static_cast<double>(end - index);
    return n * m / (n + m) *
           (2 * mean(0, index, index, end) - mean(0, index, 0, index) -
            mean(index, end, index, end));
}

Split best_by_definition(std::vector<double> const& z, std::size_t least) {
    Split best;
    for (std::size_t end = 2 * least; end <= z.size(); ++end)
        for (std::size_t index = least; index + least <= end; ++index)
            if (double const q = by_definition(z, index, end); q > best.statistic + 1e-12)
                best = {index, end, q};
    return best;
}

std::vector<std::size_t> indexes(std::vector<ChangePoint> const& points) {
    std::vector<std::size_t> found;
    for (ChangePoint const& point : points)
        found.push_back(point.index);
    return found;
}

using Indexes = std::vector<std::size_t>;

struct Rates {
    unsigned any = 0;   ///< series with a change
    unsigned exact = 0; ///< with one, at the right place
};

template <typename Make>
Rates rates(unsigned series, std::size_t expected, Make make) {
    Rates seen;
    for (unsigned i = 0; i < series; ++i) {
        SyntheticSeries source(derive_seed(2026, "synthetic", i));
        auto const found = indexes(change_points(make(source)));
        seen.any += found.empty() ? 0 : 1;
        seen.exact += found == Indexes{expected} ? 1 : 0;
    }
    return seen;
}

} // namespace

TEST_CASE("the best split is the one that the definition gives") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SyntheticSeries source(seed);
        std::size_t const points = 3 + seed % 22;
        auto values = source.stepped(points, 0.02, points / 2, seed % 3 == 0 ? 0.05 : 0);
        if (seed % 5 == 0) // ties
            for (double& value : values)
                value = std::round(value * 50) / 50;
        for (std::size_t const least : {2U, 4U}) {
            Split const fast = best_split(values, least);
            Split const slow = best_by_definition(values, least);
            INFO("seed " << seed << ", " << points << " points, least " << least);
            CHECK(fast.statistic == Approx(slow.statistic).margin(1e-12));
            if (slow.statistic == 0) continue;
            // Of splits that are equal by definition either may come first by rounding.
            CHECK(by_definition(values, fast.index, fast.end) ==
                  Approx(slow.statistic).margin(1e-12));
        }
    }
}

TEST_CASE("what cannot be divided is not") {
    CHECK(change_points({}).empty());
    CHECK(change_points({1}).empty());
    CHECK(change_points({1, 9, 1}).empty());
    CHECK(change_points(std::vector<double>(50, 1.25)).empty());
    CHECK(best_split({1, 2, 3}, 2).statistic == 0);
    CHECK(best_split(std::vector<double>(20, 3), 2).statistic == 0);
}

TEST_CASE("the same series and seed give the same answer; the scale does not matter") {
    SyntheticSeries source(5);
    auto const values = source.stepped(30, 0.01, 12, 0.05);
    auto const first = change_points(values);
    REQUIRE(first.size() == 1);
    auto const again = change_points(values);
    CHECK(again[0].p == first[0].p);
    std::vector<double> larger = values;
    for (double& value : larger)
        value = 4096 * value; // a power of two: every bit of the sums stays the same
    CHECK(indexes(change_points(larger)) == indexes(first));
    CHECK(change_points(larger)[0].p == first[0].p);
}

TEST_CASE("p is the share of all orders that are as orderly") {
    // Seven points have 5040 orders: all of them are tried here.
    std::vector<double> values{1.0, 1.1, 0.9, 1.02, 1.6, 1.7, 1.55};
    Split const split = best_split(values, 2);
    std::vector<double> order = values;
    std::sort(order.begin(), order.end());
    double all = 0;
    double as_large = 0;
    do {
        ++all;
        as_large += best_split(order, 2).statistic >= split.statistic - 1e-12 ? 1 : 0;
    } while (std::next_permutation(order.begin(), order.end()));
    ChangePointRule rule;
    rule.level = 1; // so that it counts to the end
    rule.permutations = 20'000;
    auto const found = change_points(values, rule);
    REQUIRE_FALSE(found.empty());
    auto const first = std::find_if(found.begin(), found.end(), [&](ChangePoint const& point) {
        return point.index == split.index;
    });
    REQUIRE(first != found.end());
    CHECK(first->p == Approx(as_large / all).margin(0.01));
}

TEST_CASE("changes need points enough, and those two on each side") {
    ChangePointRule rule;
    CHECK(fewest_points_for_change(rule, 2) == 21);
    CHECK(fewest_points_for_change(rule, 3) == 12);
    CHECK(fewest_points_for_change(rule, 5) == 10);
    // A huge step with more points than are needed is found, with fewer it is not. (Exactly there p
    // is so near to the level that the permutations' sampling error decides.)
    rule.permutations = 19'999;
    for (std::size_t const newest : {2U, 3U, 4U, 5U}) {
        std::size_t const fewest = fewest_points_for_change(rule, newest);
        for (std::size_t const points : {fewest - 3, fewest + 2}) {
            SyntheticSeries source(newest);
            auto const values = source.stepped(points, 0.001, points - newest, 0.5);
            INFO(points << " points, the newest " << newest << " changed");
            CHECK(indexes(change_points(values, rule)) ==
                  (points < fewest ? Indexes{} : Indexes{points - newest}));
        }
    }
    // One point is never a change: nobody knows yet what the next one is.
    std::vector<double> spike(30, 1.0);
    for (std::size_t i = 0; i < spike.size(); ++i)
        spike[i] += 0.001 * static_cast<double>(i * 7 % 5);
    spike.back() = 5;
    CHECK(change_points(spike).empty());
}

TEST_CASE("E-divisive finds what the independent implementation finds") {
    std::ifstream in(ISO_CHANGE_POINTS_FILE);
    json const file = json::parse(in);
    REQUIRE(file.at("cases").size() >= 10);
    unsigned found = 0;
    for (json const& expected : file.at("cases")) {
        auto const values = expected.at("values").get<std::vector<double>>();
        INFO(expected.at("name"));
        std::vector<std::size_t> wanted;
        std::vector<std::size_t> borders{0, values.size()};
        for (json const& step : expected.at("steps")) {
            // Each step of the division: the best of all parts' best splits.
            Split best;
            std::size_t begin = 0;
            for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
                std::vector<double> const part(
                    values.begin() + static_cast<std::ptrdiff_t>(borders[i]),
                    values.begin() + static_cast<std::ptrdiff_t>(borders[i + 1]));
                Split const split = best_split(part, file.at("least"));
                if (split.statistic <= best.statistic) continue;
                best = split;
                begin = borders[i];
            }
            CHECK(best.statistic == Approx(step.at("statistic").get<double>()).epsilon(1e-9));
            CHECK(begin + best.index == step.at("index").get<std::size_t>());
            CHECK(begin + best.end == step.at("end").get<std::size_t>());
            if (!step.at("change").get<bool>()) break;
            wanted.push_back(step.at("index"));
            borders.push_back(step.at("index"));
            std::sort(borders.begin(), borders.end());
        }
        ChangePointRule rule;
        rule.level = file.at("level");
        rule.permutations = 9999;
        auto const points = change_points(values, rule);
        std::sort(wanted.begin(), wanted.end());
        CHECK(indexes(points) == wanted);
        found += static_cast<unsigned>(points.size());
        for (ChangePoint const& point : points)
            for (json const& step : expected.at("steps"))
                if (step.at("index") == point.index) {
                    // Two samples of the same share, 9,999 and 19,999: five standard errors.
                    auto const p = step.at("p").get<double>();
                    CHECK(point.p == Approx(p).margin(5 * std::sqrt(p * (1.5 / 9999))));
                }
    }
    CHECK(found >= 7);
}

TEST_CASE("a step of 3 % in noise of 0.5 % is found where it is; no change is found in none") {
    Rates const none =
        rates(200, 0, [](SyntheticSeries& s) { return s.stepped(35, 0.005, 35, 0); });
    CHECK(none.any <= 6); // 1 % is 2; more than 6 has a chance of less than 0.5 %
    Rates const step =
        rates(100, 17, [](SyntheticSeries& s) { return s.stepped(35, 0.005, 17, 0.03); });
    CHECK(step.any == 100);
    CHECK(step.exact >= 97); // the first division is exact; 1 in 100 sees a second one
}
