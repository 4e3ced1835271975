// The pieces of the page, letter by letter. ISO_GOLDEN=write makes the files anew: look at what
// changed before it is committed.
#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/density_fixture.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/over_time.hpp"
#include "benchmarks/report/parts.hpp"
#include "benchmarks/report/report_fixture.hpp"
#include "common/fd.hpp"
#include "tests/support/catch.hpp"

#include <cstdlib>
#include <fstream>

using namespace iso::bench::report;

namespace {

void check_golden(std::string const& name, std::string const& text) {
    std::string const path = std::string(ISO_REPORT_TESTDATA) + "/" + name;
    char const* const mode = std::getenv("ISO_GOLDEN");
    if (mode != nullptr && std::string(mode) == "write") {
        std::ofstream(path) << text;
        FAIL_CHECK("written, not compared: " << path);
        return;
    }
    auto const expected = iso::read_file(path);
    REQUIRE(expected);
    INFO(path << "; ISO_GOLDEN=write makes it anew");
    CHECK(text == *expected);
}

References some_references() {
    auto const references = References::parse(R"({"sources": [{"id": "x", "citation": "A paper",
        "data": "a place", "machine": "a machine"}], "figures": [
        {"group": "calls", "label": "Other, null call", "value": "200 ns", "against": "100",
         "ratio": 2, "source": "x"},
        {"group": "start-up", "label": "Other, boot", "value": "100 ms", "p50_ms": 100,
         "p99_ms": 120, "n": 500, "source": "x"}]})");
    REQUIRE(references);
    return *references;
}

} // namespace

TEST_CASE("every kind of chart is what it was") {
    test::Fixture const fixture;
    View const view(fixture.results, "", "r.json");
    References const references = some_references();
    std::string bars;
    for (Section const& section : view.sections)
        bars += ratio_chart(view, section, references);
    check_golden("bars.html", bars);
    check_golden("heat.html", heat_map(view));
    check_golden("start.html", start_chart(view, fixture.results.workloads[2], references));
    check_golden("overhead.html", overhead_chart(view));
    check_golden("blocks.html", block_chart(view, view.sections[1].rows[0]));
}

TEST_CASE("what the page says in words is what it was") {
    test::Fixture const fixture;
    View const view(fixture.results, "", "r.json");
    check_golden("words.html", in_short(view) + troubles(view) + machine_facts(fixture.results) +
                                   machine_in_full(view));
    std::vector<Part> contents;
    check_golden("published.html", published(some_references(), contents));
}

TEST_CASE("several results stand side by side, and over time") {
    test::Fixture const first;
    test::Fixture second;
    second.results.environment.facts[2].text = "2026-01-03T03:04:05Z";
    for (iso::bench::Cell& cell : second.results.cells)
        if (cell.engine == "isolate" && cell.workload == "syscall-null") cell.ratio = 1.25;
    test::Fixture other;
    other.results.environment.facts[0].text = "Another CPU";
    other.results.workloads[0].sha256 = "a0";
    std::vector<Part> contents;
    std::vector<Input> const inputs = {
        {"a.json", first.results}, {"b.json", second.results}, {"c.json", other.results}};
    check_golden("side_by_side.html", side_by_side(inputs, contents));
    std::vector<Input> const in_time = {inputs[2], inputs[1], inputs[0]}; // not in order
    check_golden("history.html", history(in_time, contents));
}

TEST_CASE("a crowd of instances: the start of the k-th, and the memory of one more") {
    test::Fixture fixture;
    test::add_density(fixture.results);
    View const view(fixture.results, "", "r.json");
    check_golden("density.html", instance_chart(view, fixture.results.workloads[3]) +
                                     memory_chart(view, fixture.results.workloads[3]));
    CHECK(instance_chart(view, fixture.results.workloads[0]).empty());
    CHECK(memory_chart(view, fixture.results.workloads[0]).empty());
}

TEST_CASE("a history with gaps, a change, a kernel that changed and a series that ended") {
    namespace past = iso::bench::history;
    past::test::Synthetic made(24, 15, 0.05);
    past::test::Synthetic::spoil(made.of("cpu-int", "vmm-mini").points[7],
                                 iso::bench::Status::failed, "timed out after 30 s");
    past::Series other = made.of("hello", "isolate");
    other.key.sha256 = std::string(64, 'b');
    other.points.erase(other.points.begin() + 4, other.points.end());
    made.of("hello", "isolate")
        .points.erase(made.of("hello", "isolate").points.begin(),
                      made.of("hello", "isolate").points.begin() + 4);
    made.history.series.push_back(other);
    made.history.sort();
    std::vector<Part> contents;
    check_golden("over_time.html",
                 over_time(OverTime::of("h.db", std::move(made.history)), contents));
    CHECK(contents.size() == 1);
    CHECK(over_time(OverTime::of("h.db", {}), contents).empty());
}
