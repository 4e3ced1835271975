#include "benchmarks/harness/causes.hpp"
#include "benchmarks/harness/decomposition.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;

namespace {

Cell cell(char const* engine, double added, std::map<std::string, double> per_op) {
    Cell made;
    made.engine = engine;
    made.workload = "syscall-null";
    made.metric = "own-time";
    made.comparison = Comparison::ratio;
    made.status = Status::ok;
    made.n = 20;
    made.added = added;
    made.per_op = std::move(per_op);
    return made;
}

Results counted() {
    Results results = iso::bench::test::some_results();
    results.cells = {
        cell("native", 0, {{"harness.minor_faults", 1}}),
        cell("native (A/A)", 3, {{"harness.minor_faults", 1}}),
        cell("vmm-mini", 1000,
             {{"kvm.exits", 3}, {"kvm.insn_emulation", 50}, {"harness.minor_faults", 1.5}}),
        cell("paravirt-demo", 5000,
             {{"boundary.crossings", 1},
              {"host.voluntary_switches", 1},
              {"host.involuntary_switches", 1},
              {"harness.minor_faults", 1},
              {"guest.syscalls", 1}}),
    };
    results.unit_costs = {{"vm_exit", 100},         {"emulated_instruction", 10}, {"trap", 2000},
                          {"context_switch", 1500}, {"page_fault", 400},          {"mapping", 700}};
    return results;
}

} // namespace

TEST_CASE("extra time is counts times unit costs, and a rest") {
    auto const made = decompose(counted());
    REQUIRE(made.size() == 2); // native and its control have nothing to explain
    CHECK(made[0].engine == "vmm-mini");
    REQUIRE(made[0].costs.size() == 3);
    CHECK(made[0].costs[0].ns() == Approx(300));
    CHECK(made[0].costs[1].ns() == Approx(500));
    CHECK(made[0].costs[2].count == Approx(0.5)); // faults that native has, too, explain nothing
    CHECK(made[0].rest_ns() == Approx(0).margin(1e-9));
    CHECK(made[1].explained_ns() == Approx(5000));
}

TEST_CASE("a few faults more in a whole sample are start-up's, not the operations'") {
    Results results = counted();
    results.workloads[1].ops = 100;
    results.cells[2].per_op = {{"kvm.exits", 0.02}, {"harness.minor_faults", 1.09}}; // 9 faults
    auto const few = decompose(results);
    REQUIRE(few[0].costs.size() == 1); // exits are exact: they count, however few
    CHECK(few[0].costs[0].what == "VM exits");
    results.workloads[1].ops = 200; // 18 faults
    CHECK(decompose(results)[0].costs.size() == 2);
}

TEST_CASE("what has no unit cost is left to the rest") {
    Results results = counted();
    results.unit_costs.erase("vm_exit"); // as without /dev/kvm
    auto const made = decompose(results);
    REQUIRE(made.size() == 2);
    CHECK(made[0].costs.size() == 2);
    CHECK(made[0].rest_ns() == Approx(300));
    results.unit_costs.clear();
    CHECK(decompose(results).empty());
}

TEST_CASE("the terminal tells the causes with their prices") {
    Results results = counted();
    results.decompositions = decompose(results);
    TableStyle style;
    style.width = 200;
    std::string const text = causes(results, style);
    CHECK_THAT(
        text, Catch::Contains("5.00 µs more = 1.00 traps 2.00 µs + 2.00 context switches 3.00 µs"));
    CHECK_THAT(text, Catch::Contains("1.00 system calls of the guest's kernel"));
    CHECK_THAT(text, Catch::Contains("trap 2.00 µs"));
}

TEST_CASE("unit costs come from Google Benchmark's JSON, or from nowhere") {
    auto const costs = parse_unit_costs(R"({"benchmarks":[
        {"run_name":"unit_vm_exit/real_time","run_type":"iteration","time_unit":"ns","real_time":170},
        {"run_name":"unit_vm_exit/real_time","run_type":"iteration","time_unit":"ns","real_time":120},
        {"run_name":"unit_vm_exit/real_time","run_type":"aggregate","time_unit":"ns","real_time":9},
        {"run_name":"unit_emulated_instruction/real_time","run_type":"iteration","time_unit":"ns","real_time":10},
        {"run_name":"unit_trap","run_type":"iteration","error_occurred":true,"error_message":"no"}]})");
    REQUIRE(costs);
    CHECK(costs->at("vm_exit") == Approx(100)); // without the two instructions of its loop
    CHECK(costs->size() == 2);
    CHECK_FALSE(parse_unit_costs("garbage"));
    CHECK_FALSE(parse_unit_costs("{}"));
    CHECK_FALSE(parse_unit_costs(
        R"({"benchmarks":[{"run_name":"unit_a","run_type":"iteration","time_unit":"ns","real_time":0}]})"));
}
