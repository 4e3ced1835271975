#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/history/extract.hpp"
#include "benchmarks/report/report_fixture.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace iso::bench;
using namespace iso::bench::history;
using iso::bench::report::test::Fixture;

namespace {

/// As it is after it was written and read.
Results reread(Results const& results) {
    auto const read = parse_results(to_json(results));
    if (!read) FAIL(read.error().message());
    return *read;
}

Point const& point(History const& history, std::string const& workload, std::string const& engine) {
    for (Series const& series : history.series)
        if (series.key.workload == workload && series.key.engine == engine)
            return series.points.at(0);
    FAIL("no series of " << workload << " in " << engine);
    std::abort();
}

bool has(History const& history, std::string const& engine) {
    return std::any_of(history.series.begin(), history.series.end(),
                       [&](Series const& series) { return series.key.engine == engine; });
}

void check_refused(Results const& results, std::string const& why) {
    auto const refused = history_of(results, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().exit_status == iso::exit_code::usage);
    CHECK_THAT(refused.error().cause, Catch::Contains(why));
}

} // namespace

TEST_CASE("a result becomes points: ratios within the block, gaps where there is no number") {
    Fixture const fixture;
    auto const made = history_of(reread(fixture.results), {"abc123", ""});
    REQUIRE(made);
    REQUIRE(made->runs.size() == 1);
    Run const& run = made->runs.front();
    CHECK(run.date == "2026-01-02T03:04:05Z");
    CHECK(run.commit == "abc123");
    CHECK(run.facts.at("kernel") == "Linux 6.1");
    CHECK(made->machines.front().words() ==
          "Test CPU, 2 CPUs, hypervisor none, KVM backend kvm_pvm");

    Point const& good = point(*made, "syscall-null", "isolate");
    CHECK(good.status == Status::ok);
    CHECK(good.value == 1.2);
    CHECK(good.whole == 120);
    CHECK(good.low.has_value());
    CHECK(good.n == Fixture::k_blocks);
    CHECK(point(*made, "hello", "isolate").value == 2); // milliseconds more than native
    CHECK(point(*made, "syscall-null", "vmm-mini").emulated);

    Point const& failed = point(*made, "hello", "vmm-mini");
    CHECK(failed.status == Status::failed);
    CHECK_FALSE(failed.value);
    CHECK_FALSE(failed.whole);
    CHECK(failed.reason == "timed out after 30 s");
    CHECK(point(*made, "cpu-int", "vmm-mini").status == Status::void_);
    // Native is what all is compared with, its twin the noise; one engine could not run at all.
    CHECK_FALSE(has(*made, "native"));
    CHECK_FALSE(has(*made, "native (A/A)"));
    CHECK_FALSE(has(*made, "paravirt-demo"));
}

TEST_CASE("numbers that a file says beside a failure are not believed") {
    Fixture fixture;
    for (Cell& cell : fixture.results.cells)
        if (cell.engine == "isolate") {
            cell.status = Status::inconclusive;
            cell.reason = "two metrics\nof it \x1b[31mdisagree";
        }
    auto const made = history_of(fixture.results, {});
    REQUIRE(made);
    Point const& unclear = point(*made, "syscall-null", "isolate");
    CHECK(unclear.status == Status::inconclusive);
    CHECK_FALSE(unclear.value);
    CHECK(unclear.reason ==
          "two metrics of it  [31mdisagree"); // nothing for the terminal to act on
}

TEST_CASE("a ratio that is none is a gap, never a number") {
    Fixture fixture;
    for (Cell& cell : fixture.results.cells)
        if (cell.engine == "isolate" && cell.workload == "cpu-int")
            cell.ratio = 0;
        else if (cell.engine == "isolate" && cell.workload == "syscall-null")
            cell.ratio = std::nullopt;
    auto const made = history_of(fixture.results, {});
    REQUIRE(made);
    CHECK(point(*made, "cpu-int", "isolate").status == Status::incomplete);
    CHECK(point(*made, "syscall-null", "isolate").status == Status::incomplete);
}

TEST_CASE("the id of a run is that of its samples, not of the file") {
    Fixture fixture;
    std::string const id = run_id(fixture.results);
    CHECK(id.size() == 32);
    CHECK(run_id(reread(fixture.results)) == id);
    fixture.results.warnings.clear(); // what a later version of isobench may say differently
    CHECK(run_id(fixture.results) == id);
    fixture.results.samples[3].wall_ns += 1;
    CHECK(run_id(fixture.results) != id);
}

TEST_CASE("another machine, other bytes, other arguments or another backend are another series") {
    Fixture const fixture;
    History all = *history_of(fixture.results, {});
    std::size_t const series = all.series.size();
    auto add_changed = [&](auto change) {
        Fixture other;
        other.results.elapsed_ns += all.runs.size(); // another run
        change(other.results);
        append(all, *history_of(other.results, {}));
    };
    add_changed([](Results&) {});
    CHECK(all.series.size() == series);
    CHECK(all.series[0].points.size() == 2);
    add_changed([](Results& r) { r.environment.facts[4].text = "Linux 6.2"; }); // told, not apart
    CHECK(all.series.size() == series);
    add_changed([](Results& r) { r.environment.facts[0].text = "Another CPU"; });
    CHECK(all.machines.size() == 2);
    CHECK(all.series.size() == 2 * series);
    add_changed([](Results& r) { r.workloads[1].arguments = {"b=1"}; });
    CHECK(all.series.size() == 2 * series + 2); // syscall-null in two engines
    add_changed([](Results& r) { r.workloads[1].ops = 11; });
    CHECK(all.series.size() == 2 * series + 4);
    add_changed([](Results& r) { r.workloads[1].sha256 = "c0"; });
    CHECK(all.series.size() == 2 * series + 6);
    add_changed([](Results& r) {
        for (Cell& cell : r.cells)
            if (cell.workload == "syscall-null") cell.backend = "kvm_intel";
    });
    CHECK(all.series.size() == 2 * series + 8);
    append(all, *history_of(fixture.results, {})); // known: nothing happens
    CHECK(all.runs.size() == 8);
}

TEST_CASE("what is no comparison is refused") {
    Fixture counts;
    counts.results.counts = true;
    check_refused(counts.results, "counts");
    Fixture gate;
    gate.results.engines.push_back({"isolate (head)", "", "root", true, false, "", ""});
    check_refused(gate.results, "gate");
    Fixture alone;
    alone.results.engines.resize(2);
    check_refused(alone.results, "nothing in it");
    Fixture undated;
    undated.results.environment.facts[2].text = "once";
    check_refused(undated.results, "no date");
    CHECK(history_of(undated.results, {"", "2026-01-01T00:00:00Z"}));
}
