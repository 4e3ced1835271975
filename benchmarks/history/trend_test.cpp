#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/history/trend.hpp"
#include "tests/support/catch.hpp"

#include <fmt/format.h>

#include <cstdio>

using namespace iso::bench;
using namespace iso::bench::history;
using iso::bench::history::test::Synthetic;

namespace {

Trend const& trend_of(std::vector<Trend> const& trends, std::string const& workload,
                      std::string const& engine) {
    for (Trend const& trend : trends)
        if (trend.series->key.workload == workload && trend.series->key.engine == engine)
            return trend;
    FAIL("no trend of " << workload << " in " << engine);
    std::abort();
}

/// A history of one series of ratios.
History history_of(std::vector<double> const& values) {
    History history = Synthetic(values.size()).history;
    history.series.resize(1);
    for (std::size_t i = 0; i < values.size(); ++i)
        history.series[0].points[i].value = values[i];
    return history;
}

/// How often something is found in series that are made, shares of 100 %.
struct Rates {
    double any = 0;   ///< at least one change
    double exact = 0; ///< one change, at its exact place
};

template <typename Make>
Rates rates_of(unsigned series, std::size_t step, TrendRule const& rule, Make make) {
    Rates rates;
    for (unsigned i = 0; i < series; ++i) {
        iso::bench::test::SyntheticSeries source(derive_seed(2026, "history", i));
        History const history = history_of(make(source));
        auto const trends = trends_of(history, rule);
        auto const& changes = trends.at(0).changes;
        rates.any += (changes.empty() ? 0 : 100.0) / series;
        rates.exact += (changes.size() == 1 && changes[0].point == step ? 100.0 : 0) / series;
    }
    return rates;
}

} // namespace

TEST_CASE("a step is found at its run, with its size and with what else changed there") {
    Synthetic const made(35, 17, 0.03);
    auto const trends = trends_of(made.history, {});
    REQUIRE(trends.size() == 3);
    Trend const& trend = trend_of(trends, "cpu-int", "isolate");
    REQUIRE(trend.changes.size() == 1);
    Change const& change = trend.changes.front();
    CHECK(change.point == 17);
    CHECK(change.share == Approx(0.03).margin(0.004));
    CHECK(change.is_worse());
    CHECK(change.points_before == 17);
    CHECK(change.points_after == 18);
    REQUIRE(change.also.size() == 1);
    CHECK(change.also.front() == "kernel: Linux 6.1, then Linux 6.2");
    CHECK(trend_of(trends, "cpu-int", "vmm-mini").changes.empty());
    CHECK(trend_of(trends, "hello", "isolate").changes.empty());
    CHECK_FALSE(trend.is_news(change, 10));
    CHECK_FALSE(trend.is_news(change, 17));
    CHECK(trend.is_news(change, 18));
}

TEST_CASE("a change below the least effect is none") {
    Synthetic const made(40, 20, 0.01);
    TrendRule rule;
    rule.min_effect = 0.005;
    auto const fine = trends_of(made.history, rule);
    CHECK(trend_of(fine, "cpu-int", "isolate").changes.size() == 1);
    auto const usual = trends_of(made.history, {});
    CHECK(trend_of(usual, "cpu-int", "isolate").changes.empty());
}

TEST_CASE("a gap is no number, and the points around it keep their places") {
    Synthetic made(35, 17, 0.05);
    Series& series = made.of("cpu-int", "isolate");
    for (std::size_t const gap : {3U, 16U, 17U, 30U})
        Synthetic::spoil(series.points[gap], Status::failed, "timed out");
    auto const trends = trends_of(made.history, {});
    Trend const& trend = trend_of(trends, "cpu-int", "isolate");
    CHECK(trend.good.size() == 31);
    REQUIRE(trend.changes.size() == 1);
    CHECK(trend.changes.front().point == 18); // the first number after the change
    CHECK(trend.changes.front().points_before == 15);
}

TEST_CASE("of what is added to native, a change is a share of the whole") {
    Synthetic made(30);
    Series& series = made.of("hello", "isolate");
    for (std::size_t i = 0; i < series.points.size(); ++i) {
        double const noise = 0.001 * static_cast<double>(i * 7 % 5);
        series.points[i].value = (i < 15 ? 0.10 : 0.13) + noise; // 0.03 ms more
        series.points[i].whole = *series.points[i].value + 9.9;
    }
    // A third more is added, and the start takes 0.3 % longer: nobody's business.
    auto const small = trends_of(made.history, {});
    CHECK(trend_of(small, "hello", "isolate").changes.empty());
    for (Point& point : series.points)
        point.whole = *point.value + 0.2;
    auto const trends = trends_of(made.history, {});
    auto const& changes = trend_of(trends, "hello", "isolate").changes;
    REQUIRE(changes.size() == 1);
    CHECK(changes.front().share == Approx(0.1).margin(0.005));
    CHECK(changes.front().after - changes.front().before == Approx(0.03).margin(0.002));
}

TEST_CASE("a series that goes on with other bytes is over, and its changes are no news") {
    Synthetic made(30, 24, 0.1);
    auto& series = made.history.series;
    Series next = made.of("cpu-int", "isolate");
    next.key.sha256 = std::string(64, 'b');
    Series& before = made.of("cpu-int", "isolate");
    before.points.resize(29);
    next.points.erase(next.points.begin(), next.points.begin() + 29);
    series.push_back(next);
    made.history.sort();
    auto const trends = trends_of(made.history, {});
    for (Trend const& trend : trends) {
        if (trend.series->key.engine != "isolate" || trend.series->key.workload != "cpu-int")
            continue;
        bool const old = trend.series->key.sha256[0] == 'a';
        CHECK(trend.superseded == old);
        CHECK(trend.changes.size() == (old ? 1U : 0U));
        CHECK(has_enough(trend, {}) == old);
        if (old) CHECK_FALSE(trend.is_news(trend.changes.front(), 10));
    }
}

TEST_CASE("a series that is not measured any more brings no news for ever") {
    Synthetic made(30, 20, 0.1);
    made.of("cpu-int", "isolate").points.resize(25);
    auto const trends = trends_of(made.history, {});
    Trend const& trend = trend_of(trends, "cpu-int", "isolate");
    REQUIRE(trend.changes.size() == 1);
    CHECK(trend.runs_since == 5);
    CHECK(trend.is_news(trend.changes.front(), 6));
    CHECK_FALSE(trend.is_news(trend.changes.front(), 5));
}

TEST_CASE("with few points nothing is said, and that is known") {
    Synthetic const nine(9, 4, 0.5);
    auto const few = trends_of(nine.history, {});
    CHECK_FALSE(has_enough(trend_of(few, "cpu-int", "isolate"), {}));
    CHECK(trend_of(few, "cpu-int", "isolate").changes.empty());
    Synthetic const ten(10, 5, 0.5);
    auto const enough = trends_of(ten.history, {});
    CHECK(has_enough(trend_of(enough, "cpu-int", "isolate"), {}));
}

TEST_CASE("quick and full runs by turns are two series, of which neither is over") {
    Synthetic made(40);
    Series& full = made.of("cpu-int", "isolate");
    Series quick = full;
    quick.key.ops = 2'000'000;
    for (std::size_t i = full.points.size(); i-- > 0;) {
        Series& loses = i % 2 == 0 ? quick : full;
        loses.points.erase(loses.points.begin() + static_cast<std::ptrdiff_t>(i));
    }
    made.history.series.push_back(quick);
    made.history.sort();
    auto const trends = trends_of(made.history, {});
    std::vector<std::string> apart;
    for (Trend const& trend : trends) {
        CHECK_FALSE(trend.superseded);
        if (!trend.apart.empty()) apart.push_back(trend.apart);
    }
    CHECK(apart == std::vector<std::string>{"1000 ops", "2M ops"});
}

TEST_CASE("a step of 3 % in noise of 0.5 % is found where it is, and no change in none") {
    auto const step = [](iso::bench::test::SyntheticSeries& s) {
        return s.stepped(35, 0.005, 17, 0.03);
    };
    CHECK(rates_of(60, 17, {}, step).exact == Approx(100));
    auto const none = [](iso::bench::test::SyntheticSeries& s) {
        return s.stepped(35, 0.005, 35, 0);
    };
    CHECK(rates_of(60, 0, {}, none).any == 0);
}

// build/tests/history_test "[figures]": the tables of docs/history.md. Takes minutes.
TEST_CASE("figures for the documentation", "[.][figures]") {
    constexpr unsigned k_series = 1000;
    auto show = [](std::string const& what, Rates const& seen) {
        fmt::print("{:<66} any {:5.1f} %  exact {:5.1f} %\n", what, seen.any, seen.exact);
        std::fflush(stdout);
    };
    for (bool const small_too : {true, false}) {
        TrendRule rule;
        if (small_too) rule.min_effect = 0;
        std::string const which = small_too ? "any size, " : "1.5 % or more, ";
        for (std::size_t const points : {35U, 100U}) {
            show(fmt::format("{}no change in {} points, noise 0.5 %", which, points),
                 rates_of(k_series, 0, rule, [&](iso::bench::test::SyntheticSeries& s) {
                     return s.stepped(points, 0.005, points, 0);
                 }));
            show(fmt::format("{}no change in {}, one in ten with 8 x 0.5 %", which, points),
                 rates_of(k_series, 0, rule, [&](iso::bench::test::SyntheticSeries& s) {
                     return s.spiky(points, 0.005);
                 }));
        }
    }
    for (auto const& [noise, change] :
         {std::pair{0.005, 0.03}, std::pair{0.01, 0.03}, std::pair{0.02, 0.03}})
        for (std::size_t const after : {18U, 5U, 3U})
            show(fmt::format("+{:.1f} % for the last {} of 35, noise {:.1f} %", 100 * change, after,
                             100 * noise),
                 rates_of(k_series, 35 - after, {}, [&](iso::bench::test::SyntheticSeries& s) {
                     return s.stepped(35, noise, 35 - after, change);
                 }));
}
