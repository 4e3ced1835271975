#include "benchmarks/harness/cells.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "tests/support/catch.hpp"

using namespace iso;
using namespace iso::bench;
using iso::bench::test::Synthetic;

namespace {

/// The deciding cell of an engine that costs so much, and whose wall time is CPU time times `wall`.
Cell decided(double cost, double wall) {
    Synthetic made({"isolate"});
    made.add_workload("cpu-int", 20);
    made.measure("cpu-int", "native", 1, 0.005);
    made.measure("cpu-int", "native (A/A)", 1, 0.005);
    made.measure("cpu-int", "isolate", cost, 0.005, wall);
    auto const engines = make_engines({});
    std::vector<Arm> arms;
    for (EngineRecord const& record : made.results.engines)
        arms.push_back(
            {engines.front().get(), record.name, record.control, {true, "test", {}, {}}});
    Row row;
    row.record = made.results.workloads.front();
    row.verdicts.resize(arms.size());
    for (Cell const& cell : make_cells({row, arms, made.results.samples}))
        if (cell.engine == "isolate" && cell.metric == "cpu-time") return cell;
    FAIL("no such cell");
    return {};
}

} // namespace

TEST_CASE("CPU time decides while wall time does not contradict it") {
    Cell const cell = decided(1.02, 1);
    CHECK(cell.status == Status::ok);
    CHECK(*cell.ratio == Approx(1.02).margin(0.01));
    CHECK(decided(1.02, 1.02).status == Status::ok); // not far enough apart
}

TEST_CASE("an engine that waits costs nothing in CPU time, and that is not the answer") {
    Cell const cell = decided(1.0, 1.5);
    CHECK(cell.status == Status::inconclusive);
    CHECK(cell.reason.find("wall time") != std::string::npos);
    CHECK(cell.ratio.has_value()); // what was seen stays in the file
}

TEST_CASE("an engine that works on another processor is as inconclusive") {
    CHECK(decided(1.5, 1 / 1.5).status == Status::inconclusive);
}
