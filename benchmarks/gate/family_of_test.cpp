#include "benchmarks/gate/family_of.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "tests/support/catch.hpp"

using namespace iso;
using namespace iso::bench;
using iso::bench::test::Synthetic;

namespace {

Results one_file(double cost, std::uint64_t seed, double wall = 1) {
    Synthetic made({"isolate"}, seed);
    made.add_workload("cpu-int", 40);
    made.measure("cpu-int", "native", 1, 0.004);
    made.measure("cpu-int", "native (A/A)", 1, 0.004);
    made.measure("cpu-int", "isolate", cost, 0.004, wall);
    return std::move(made.results);
}

Judgement of_files(Results const& base, Results const& head) {
    auto const family = family_of_files(base, head, {}, {});
    if (!family) FAIL(family.error().message());
    return judge(family->cells, {});
}

} // namespace

TEST_CASE("two files: a slower engine is found, the same one is fine") {
    Results const base = one_file(1.05, 1);
    CHECK(of_files(base, one_file(1.05, 2)).exit_status() == 0);
    Judgement const slower = of_files(base, one_file(1.05 * 1.04, 3));
    REQUIRE(slower.cells.size() == 1);
    CHECK(slower.exit_status() == 1);
    CHECK(slower.cells.front().change == Approx(0.04).margin(0.005));
    CHECK(of_files(base, base).exit_status() == 0);
}

TEST_CASE("other bytes, arguments or backends are not compared, and that is no success") {
    Results const base = one_file(1, 1);
    auto check = [&](auto change, char const* word) {
        Results head = one_file(1, 2);
        change(head);
        Judgement const judgement = of_files(base, head);
        CHECK(judgement.exit_status() == 2);
        INFO(judgement.cells.front().reason);
        CHECK(judgement.cells.front().reason.find(word) != std::string::npos);
        CHECK(judgement.cells.front().n == 0);
    };
    check([](Results& r) { r.workloads.front().sha256 = "other"; }, "other bytes");
    check([](Results& r) { r.workloads.front().arguments = {"size=2M"}; }, "other arguments");
    check(
        [](Results& r) {
            for (Cell& cell : r.cells)
                cell.backend = "userns";
        },
        "other backend");
    check(
        [](Results& r) {
            r.workloads.clear();
            r.cells.clear();
            r.samples.clear();
        },
        "not in head");
    check(
        [](Results& r) {
            for (Cell& cell : r.cells)
                if (cell.engine == "isolate")
                    cell.status = Status::failed, cell.reason = "timed out";
        },
        "timed out");
}

TEST_CASE("files of two machines are refused, another kernel is told") {
    Results const base = one_file(1, 1);
    Results head = one_file(1, 2);
    head.environment.facts.back().text = "Linux 6.2"; // the kernel
    auto const told = family_of_files(base, head, {}, {});
    REQUIRE(told);
    CHECK(told->notes.front().find("Linux 6.2") != std::string::npos);
    head.environment.facts.front().text = "Other CPU";
    auto const refused = family_of_files(base, head, {}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().exit_status == 2);
    CHECK(refused.error().cause.find("Other CPU") != std::string::npos);
}

TEST_CASE("only what was asked for is judged") {
    Results const base = one_file(1, 1);
    CHECK(family_of_files(base, base, {"vmm-mini"}, {})->cells.empty());
    CHECK(family_of_files(base, base, {}, {"hello"})->cells.empty());
    CHECK(family_of_files(base, base, {"isolate"}, {"cpu-int"})->cells.size() == 1);
}

TEST_CASE("one run: head is compared with base in the same block") {
    Synthetic made({"isolate", "isolate (A/A)", "isolate (head)"}, 5);
    made.add_workload("cpu-int", 40);
    made.measure("cpu-int", "native", 1, 0.004);
    made.measure("cpu-int", "isolate", 1.1, 0.004);
    made.measure("cpu-int", "isolate (A/A)", 1.1, 0.004);
    made.measure("cpu-int", "isolate (head)", 1.1 * 1.03, 0.004);
    Family const family = family_of_run(made.results, {"isolate"});
    REQUIRE(family.cells.size() == 1);
    CHECK(family.cells.front().evidence.changes.size() == 40);
    CHECK(family.cells.front().second.changes.size() == 40);
    CHECK(judge(family.cells, {}).exit_status() == 1);

    for (Cell& cell : made.results.cells)
        if (cell.engine == "isolate (head)")
            cell.status = Status::void_, cell.reason = "another checksum";
    Judgement const judgement = judge(family_of_run(made.results, {"isolate"}).cells, {});
    CHECK(judgement.exit_status() == 2);
    CHECK(judgement.cells.front().reason == "head: void: another checksum");
}

TEST_CASE("an engine that waits is not found fine by its CPU time") {
    Results const base = one_file(1, 1);
    Judgement const judgement = of_files(base, one_file(1, 2, 1.5)); // wall time half as much again
    CHECK(judgement.exit_status() == 3);
    CHECK(judgement.cells.front().reason.find("inconclusive") != std::string::npos);
}
