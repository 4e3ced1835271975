// fork-exec: one operation forks a child that executes this very file, which leaves at once, and
// waits for it.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 16};
constinit Parameter g_leave{"leave", 0}; // what the child is told
} // namespace

char const* const k_name = "fork-exec";
Parameter* const k_parameters[] = {&g_ops, &g_leave};
size_t const k_parameter_count = 2;

Outcome run() {
    if (g_leave.value != 0) linux_call::exit_with(k_leave_status);
    uint64_t sum = 8;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        long const child = fork_child();
        if (child == 0) fail("execve failed, errno", static_cast<uint64_t>(-execute_own_file()));
        wait_child(child, k_leave_status);
        sum = mix(sum, i);
    }
    uint64_t const after = linux_call::monotonic_ns();

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = sum;
    return outcome;
}

} // namespace iso::workload
