// fork-exit: one operation forks a child that exits at once, and waits for it.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 32};
} // namespace

char const* const k_name = "fork-exit";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    uint64_t sum = 7;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        int const status = static_cast<int>(i & 63U);
        long const child = fork_child();
        if (child == 0) linux_call::exit_with(status);
        wait_child(child, status);
        sum = mix(sum, static_cast<uint64_t>(status));
    }
    uint64_t const after = linux_call::monotonic_ns();

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = sum;
    return outcome;
}

} // namespace iso::workload
