#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/history/trend.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;
using namespace iso::bench::history;
using iso::bench::history::test::Synthetic;

namespace {

Trend const& of(std::vector<Trend> const& trends, std::string const& workload,
                std::string const& engine) {
    for (Trend const& trend : trends)
        if (trend.series->key.workload == workload && trend.series->key.engine == engine)
            return trend;
    FAIL("no trend of " << workload << " in " << engine);
    std::abort();
}

} // namespace

TEST_CASE("a step is found at its run, with its size and with what else changed there") {
    Synthetic const made(35, 17, 0.03);
    auto const trends = trends_of(made.history, {});
    REQUIRE(trends.size() == 3);
    Trend const& trend = of(trends, "cpu-int", "isolate");
    REQUIRE(trend.changes.size() == 1);
    Change const& change = trend.changes.front();
    CHECK(change.point == 17);
    CHECK(change.share == Approx(0.03).margin(0.004));
    CHECK(change.is_worse());
    CHECK(change.points_before == 17);
    CHECK(change.points_after == 18);
    REQUIRE(change.also.size() == 1);
    CHECK(change.also.front() == "kernel: Linux 6.1, then Linux 6.2");
    CHECK(of(trends, "cpu-int", "vmm-mini").changes.empty());
    CHECK(of(trends, "hello", "isolate").changes.empty());
    CHECK_FALSE(trend.is_news(change, 10));
    CHECK_FALSE(trend.is_news(change, 17));
    CHECK(trend.is_news(change, 18));
}

TEST_CASE("a change below the least effect is none") {
    Synthetic const made(40, 20, 0.01);
    TrendRule rule;
    rule.min_effect = 0.005;
    auto const fine = trends_of(made.history, rule);
    CHECK(of(fine, "cpu-int", "isolate").changes.size() == 1);
    auto const usual = trends_of(made.history, {});
    CHECK(of(usual, "cpu-int", "isolate").changes.empty());
}

TEST_CASE("a gap is no number, and the points around it keep their places") {
    Synthetic made(35, 17, 0.05);
    Series& series = made.of("cpu-int", "isolate");
    for (std::size_t const gap : {3U, 16U, 17U, 30U})
        Synthetic::spoil(series.points[gap], Status::failed, "timed out");
    auto const trends = trends_of(made.history, {});
    Trend const& trend = of(trends, "cpu-int", "isolate");
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
    CHECK(of(small, "hello", "isolate").changes.empty());
    for (Point& point : series.points)
        point.whole = *point.value + 0.2;
    auto const trends = trends_of(made.history, {});
    auto const& changes = of(trends, "hello", "isolate").changes;
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
    Trend const& trend = of(trends, "cpu-int", "isolate");
    REQUIRE(trend.changes.size() == 1);
    CHECK(trend.runs_since == 5);
    CHECK(trend.is_news(trend.changes.front(), 6));
    CHECK_FALSE(trend.is_news(trend.changes.front(), 5));
}

TEST_CASE("with few points nothing is said, and that is known") {
    Synthetic const nine(9, 4, 0.5);
    auto const few = trends_of(nine.history, {});
    CHECK_FALSE(has_enough(of(few, "cpu-int", "isolate"), {}));
    CHECK(of(few, "cpu-int", "isolate").changes.empty());
    Synthetic const ten(10, 5, 0.5);
    auto const enough = trends_of(ten.history, {});
    CHECK(has_enough(of(enough, "cpu-int", "isolate"), {}));
}
