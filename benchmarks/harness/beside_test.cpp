#include "benchmarks/harness/beside.hpp"
#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/strays.hpp"
#include "benchmarks/harness/table.hpp"

#include <algorithm>

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

/// The engine's cell of a row of the neighbours, when the engine does this with a neighbour, and
/// that with a victim.
Cell cell_beside(std::string const& neighbour, std::string const& victim = k_honest,
                 std::uint64_t timeout_ns = 30'000'000'000) {
    FakeEngine const engine("case \"$1\" in */neighbour) " + neighbour + ";; esac\n" + victim);
    CompareOptions options = options_for(engine, {"beside-cpu-here"});
    options.timeout_ns = timeout_ns;
    Results const results = results_of(options);
    CHECK(end_strays().empty()); // whatever happened, nobody is left
    CHECK(results.find("beside-cpu-here", "slowdown", "native")->status == Status::ok);
    Cell const* const cell = results.find("beside-cpu-here", "slowdown", "isolate");
    REQUIRE(cell != nullptr);
    CHECK((cell->status == Status::ok) == cell->median.has_value());
    return *cell;
}

} // namespace

TEST_CASE("a victim is measured alone and beside its neighbour in each block, native too") {
    FakeEngine const engine(k_honest);
    CompareOptions options = options_for(engine, {"beside-cpu-here", "beside-fork"});
    options.blocks = 5;
    Results const results = results_of(options);
    CHECK(results.complete());
    for (char const* const workload : {"beside-cpu-here", "beside-fork"})
        for (char const* const name : {"native", k_control_name, "isolate"}) {
            INFO(workload << " in " << name);
            Cell const* const cell = results.find(workload, "slowdown", name);
            REQUIRE(cell != nullptr);
            CHECK(cell->status == Status::ok);
            CHECK(cell->n == 5);
            CHECK(cell->effect().value() > 0);
            CHECK(cell->effect() == cell->median);
            CHECK(cell->ci_low.value() <= cell->median.value());
            CHECK(cell->identity_proved);
        }
    for (std::uint64_t block = 1; block <= 5; ++block)
        for (Role const role : {Role::baseline, Role::measure})
            CHECK(std::count_if(
                      results.samples.begin(), results.samples.end(), [&](Sample const& sample) {
                          return sample.workload == "beside-fork" && sample.block == block &&
                                 sample.role == role && sample.own && sample.own->ops != 0;
                      }) == 3);
    CHECK(results.workloads.front().neighbour == "neighbour kind=cpu size=4M");
    CHECK(results.workloads.front().neighbour_sha256.size() == 64);
    TableStyle style;
    CHECK_THAT(render_table(results, style),
               Catch::Contains("Neighbours: ") && Catch::Contains("beside-fork"));
    CHECK(end_strays().empty());
}

TEST_CASE("what a neighbour cannot do in an engine is an answer") {
    Cell const cell = cell_beside(
        R"sh(echo '{"workload":"neighbour","not_available":"fork","errno":38}'; exit 4)sh");
    CHECK(cell.status == Status::unavailable);
    CHECK(cell.reason == "its neighbour cannot: fork: Function not implemented");
}

TEST_CASE("a neighbour that does not do its part fails the cell, and says why") {
    constexpr char const* line = R"sh(echo '{"workload":"neighbour","entry_ns":1}')sh";
    CHECK(cell_beside(std::string(line) + "; exit 0").reason ==
          "the neighbour ended before the sample did");
    CHECK(cell_beside("echo 'no room' >&2; exit 125").reason ==
          "the neighbour ended before it said anything: no room");
    CHECK(cell_beside("sleep 1000", k_honest, 1'000'000'000).reason ==
          "the neighbour did not start in time");
    CHECK_THAT(cell_beside("echo hello; sleep 1000").reason, Catch::Contains("the neighbour: "));
}

TEST_CASE("a neighbour that does not listen is ended, and its processes are nobody else's strays") {
    constexpr char const* deaf = "trap '' TERM; (sleep 1000 & sleep 1000 &); \"$@\"; sleep 1000";
    CHECK(cell_beside(deaf).status == Status::ok);
    Cell const cell = cell_beside("\"$@\"", R"("$@"; (sleep 1000 &); report 0; exit 0)");
    CHECK(cell.status == Status::failed);
    CHECK_THAT(cell.reason, Catch::Contains("left a process behind: "));
}
