#include "benchmarks/history/changes_text.hpp"
#include "benchmarks/history/history_fixture.hpp"
#include "common/json.hpp"
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

TEST_CASE("a sparkline shows heights, gaps and changes, and makes no mountains of noise") {
    Synthetic made(24, 12, 0.2);
    Series& series = made.of("cpu-int", "isolate");
    Synthetic::spoil(series.points[4], Status::failed, "no");
    auto const trends = trends_of(made.history, {});
    TableStyle const style;
    CHECK(sparkline(of(trends, "cpu-int", "isolate"), 40, style) == "▁▁▁▁·▁▁▁▁▁▁▁│████████████");
    TableStyle ascii;
    ascii.unicode = false;
    CHECK(sparkline(of(trends, "cpu-int", "isolate"), 14, ascii) == "__|@@@@@@@@@@@@");
    std::string const flat = sparkline(of(trends, "cpu-int", "vmm-mini"), 40, style);
    for (char const* const steep : {"▁", "▇", "█"})
        CHECK(flat.find(steep) == std::string::npos);
}

TEST_CASE("what is listed and shown") {
    Synthetic made(24, 15, 0.05);
    Synthetic::spoil(made.of("cpu-int", "vmm-mini").points.back(), Status::failed, "timed out");
    TableStyle const style;
    std::string const list = list_text(made.history, "h.db", style);
    CHECK_THAT(list, Catch::StartsWith("24 runs of 1 machine in h.db\n") &&
                         Catch::Contains("2026-01-24 03:04  c0ffee000000  full         2     1"));
    CHECK_THAT(list_text({}, "h.db", style), Catch::Contains("no runs yet"));
    auto const trends = trends_of(made.history, {});
    std::string const text = show_text(made.history, trends, {}, style);
    INFO(text);
    CHECK_THAT(text, Catch::Contains("cpu-int: times native") &&
                         Catch::Contains("hello, start-up: ms more than native") &&
                         Catch::Contains("▲ +4.7 %") && Catch::Contains("steady") &&
                         Catch::Contains("no number in the newest run: failed: timed out") &&
                         Catch::Contains("2026-01-16 (c0ffee000000)") &&
                         Catch::Contains("kernel: Linux 6.1, then"));
}

TEST_CASE("changes: what is news decides the exit status") {
    TrendRule rule;
    auto status = [&](Synthetic const& made) {
        auto const trends = trends_of(made.history, rule);
        return news_of(trends, rule).exit_status();
    };
    CHECK(status(Synthetic(30)) == 0);
    CHECK(status(Synthetic(30, 24, 0.05)) == 1);
    CHECK(status(Synthetic(30, 24, -0.05)) == 0); // for the better
    CHECK(status(Synthetic(30, 10, 0.05)) == 0);  // long ago
    CHECK(status(Synthetic(9, 4, 0.5)) == 3);     // too few
    CHECK(status(Synthetic(0)) == 3);
    rule.newest = 25;
    CHECK(status(Synthetic(30, 10, 0.05)) == 1);
}

TEST_CASE("changes as a table, as Markdown and as JSON") {
    Synthetic const made(30, 24, 0.05);
    TrendRule const rule;
    auto const trends = trends_of(made.history, rule);
    News const news = news_of(trends, rule);
    TableStyle const style;
    std::string const table = news_text(made.history, news, rule, "table", style);
    CHECK_THAT(table, Catch::StartsWith("WORSE   cpu-int in isolate: +") &&
                          Catch::Contains("1 for the worse, 0 for the better, in 3 series."));
    std::string const markdown = news_text(made.history, news, rule, "markdown", style);
    CHECK_THAT(markdown, Catch::StartsWith("**1 for the worse") &&
                             Catch::Contains("| cpu-int | isolate | +"));
    auto const json = nlohmann::json::parse(news_text(made.history, news, rule, "json", style));
    CHECK(json.at("schema") == "isolab.changes/1");
    CHECK(json.at("exit_status") == 1);
    REQUIRE(json.at("changes").size() == 1);
    CHECK(json.at("changes")[0].at("run") == made.history.runs[24].id);
    CHECK(json.at("changes")[0].at("runs_after") == 6);
}
