#include "benchmarks/gate/counts_gate.hpp"
#include "benchmarks/harness/counts.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;
using iso::bench::test::Synthetic;

namespace {

Results counted(std::uint64_t exits, std::uint64_t interrupts, std::uint64_t spread = 0) {
    Synthetic made({"vmm-mini"});
    made.results.counts = true;
    made.add_workload("cpu-int", 3);
    for (char const* const engine : {"native", "native (A/A)", "vmm-mini"})
        made.measure("cpu-int", engine, 1, 0);
    std::uint64_t i = 0;
    for (Sample& sample : made.results.samples)
        if (sample.role == Role::measure && sample.arm == "vmm-mini")
            sample.counters = {{"exit.io", exits + (spread == 0 ? 0 : i++ % spread)},
                               {"kvm.irq_exits", interrupts},
                               {"host.syscalls", interrupts},
                               {"some.new_size", interrupts}};
    return std::move(made.results);
}

Judgement judged(Results const& base, Results const& head) {
    return judge_counts_of_files(base, head, {}, {}).value();
}

} // namespace

TEST_CASE("who makes a counter count is known by its name") {
    CHECK(cause_of("exit.io") == Cause::guest);
    CHECK(cause_of("exit.intr") == Cause::outside);
    CHECK(cause_of("exit.hlt") == Cause::outside);
    CHECK(cause_of("hypercall.iret") == Cause::guest);
    CHECK(cause_of("event.tick") == Cause::outside);
    CHECK(cause_of("event.page_fault") == Cause::guest);
    CHECK(cause_of("kvm.irq_exits") == Cause::outside);
    CHECK(cause_of("guest.syscall.write") == Cause::detail);
    CHECK(cause_of("nobody.knows") == Cause::detail);
}

TEST_CASE("two files: one added exit is found, interrupts and sizes are not judged") {
    Results const base = counted(2, 10);
    CHECK(judged(base, counted(2, 9000)).exit_status() == 0);
    Judgement const more = judged(base, counted(3, 10));
    CHECK(more.exit_status() == 1);
    CHECK(more.cells.front().reason.starts_with("exit.io 2 -> 3"));
    CHECK(judged(counted(3, 10), base).exit_status() == 0);
    CHECK(judged(counted(2, 1, 3), counted(2, 1, 3)).exit_status() == 0); // 2..4 both times
}

TEST_CASE("files of timed runs, and of other numbers of operations, are not counted") {
    Results const base = counted(2, 10);
    Results head = counted(2, 10);
    head.workloads.front().ops = 999;
    CHECK(judged(base, head).exit_status() == 2);
    head.counts = false;
    CHECK(judge_counts_of_files(base, head, {}, {}).error().exit_status == 2);
}

TEST_CASE("the table of counts tells the two kinds apart") {
    std::string const text = render_counts(counted(2, 10, 2), {});
    auto const exits = text.find("exit.io");
    auto const title = text.find("by timers");
    REQUIRE(exits != std::string::npos);
    CHECK(exits < title);
    CHECK(text.find("2..3") != std::string::npos);
    CHECK(text.find("kvm.irq_exits") > title);
    CHECK(text.find("some.new_size") == std::string::npos);
}
