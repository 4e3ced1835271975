// A whole gate, between engines that are shell scripts.
#include "benchmarks/gate/counts_gate.hpp"
#include "benchmarks/gate/interleaved.hpp"
#include "benchmarks/harness/fake_engine.hpp"

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

Side side_of(FakeEngine const& engine) {
    Side side;
    side.kind = Side::Kind::tree;
    side.path = engine.directory();
    side.workloads = workload_directory();
    return side;
}

GateOptions options_of(std::vector<std::string> workloads) {
    GateOptions options;
    options.compare = {};
    options.compare.quick = true;
    options.compare.pin = false;
    options.compare.workloads = std::move(workloads);
    options.blocks = 6;
    return options;
}

/// An engine that says it had so many exits: a shell expression.
std::string exiting(std::string const& exits) {
    return R"("$@"; status=$?; exits=)" + exits + R"(
printf '{"schema":"isolab.run/1","engine":"isolate","backend":"fake","ended":"exited","status":%d,"exit_status":%d,"phases":{},"counters":{"exit.io":%d,"kvm.irq_exits":%d},"facts":{}}\n' $status $status $exits $(($$ % 1000)) >&3; exit $status)";
}

Judgement counted(FakeEngine const& base, FakeEngine const& head) {
    Interrupts interrupts = Interrupts::create().value();
    GateLineup const gate =
        GateLineup::probe(side_of(base), side_of(head), {"isolate"}, 0, interrupts).value();
    Progress progress(true);
    Compared const compared =
        measure_counts(options_of({"hello"}), side_of(base), gate, interrupts, progress).value();
    return judge_counts_of_run(compared.results, gate.engines);
}

Judgement timed(GateOptions const& options, FakeEngine const& base, FakeEngine const& head) {
    Interrupts interrupts = Interrupts::create().value();
    GateLineup const gate =
        GateLineup::probe(side_of(base), side_of(head), {"isolate"}, 0, interrupts).value();
    Progress progress(true);
    Compared const compared =
        measure_interleaved(options, side_of(base), gate, interrupts, progress).value();
    for (Cell const& cell : compared.results.cells)
        if (cell.engine == base_arm("isolate")) CHECK(cell.status == Status::ok);
    return judge(family_of_run(compared.results, gate.engines).cells, options.rule);
}

} // namespace

TEST_CASE("one added exit is found, exactly; the same number is fine; timers do not matter") {
    FakeEngine const two(exiting("2"));
    FakeEngine const three(exiting("3"));
    CHECK(counted(two, two).exit_status() == 0);
    Judgement const more = counted(two, three);
    CHECK(more.exit_status() == 1);
    REQUIRE(more.cells.size() == 1);
    CHECK(more.cells.front().reason.starts_with("exit.io 2 -> 3"));
    CHECK(more.cells.front().n == 10); // ten blocks had to say so
    Judgement const fewer = counted(three, two);
    CHECK(fewer.exit_status() == 0);
    CHECK(fewer.cells.front().outcome == Outcome::improvement);
}

TEST_CASE("a count that is not the same every time is shown and not judged") {
    TempDir const place = TempDir::create("isobench-state").value();
    std::string const state = place.path() + "/runs";
    FakeEngine const some(
        exiting("$(echo x >> " + state + "; echo $(($(wc -l < " + state + ") % 3)))"));
    Judgement const judgement = counted(some, some);
    CHECK(judgement.exit_status() == 0);
    CHECK(judgement.cells.front().reason.find("not the same every time: exit.io") !=
          std::string::npos);
}

TEST_CASE("a head that lies, crashes or is not there did not run") {
    FakeEngine const honest(k_honest);
    FakeEngine const liar(
        R"("$@" | sed 's/"checksum":"[0-9a-f]*"/"checksum":"0000000000000000"/'; report 0; exit 0)");
    Judgement const lied = timed(options_of({"syscall-null"}), honest, liar);
    CHECK(lied.exit_status() == 2);
    CHECK(lied.cells.front().reason.find("another checksum") != std::string::npos);
    FakeEngine const crash("kill -SEGV $$");
    CHECK(timed(options_of({"hello"}), honest, crash).exit_status() == 2);
}

TEST_CASE("a gate over one workload has as many blocks as were asked for at most") {
    FakeEngine const honest(k_honest);
    Judgement const judgement = timed(options_of({"syscall-null"}), honest, honest);
    REQUIRE(judgement.cells.size() == 1);
    CHECK(judgement.cells.front().n == 6);
    CHECK(judgement.cells.front().outcome != Outcome::not_run);
}

TEST_CASE("an engine that does not exist is refused, one that cannot run is told") {
    FakeEngine const honest(k_honest);
    Interrupts interrupts = Interrupts::create().value();
    Side const side = side_of(honest);
    CHECK(GateLineup::probe(side, side, {"isolat"}, 0, interrupts).error().exit_status == 2);
    GateLineup const gate = GateLineup::probe(side, side, {}, 0, interrupts).value();
    CHECK(gate.engines == std::vector<std::string>{"isolate"}); // the others are not built there
    CHECK(gate.notes.size() >= 2);
    CHECK(gate.lineup.arms.size() == 4);
}
