// spawn-exec: one operation makes a child that shares the parent's memory, which sleeps meanwhile
// (CLONE_VM|CLONE_VFORK, as posix_spawn does), until the child has executed this very file, and
// waits for its end. Nothing is copied; the difference to fork-exec is what copying costs.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 16};
constinit Parameter g_leave{"leave", 0}; // what the child is told

alignas(64) unsigned char g_stack[16384];
long g_error = 0;

int child(void*) {
    g_error = execute_own_file(); // returns only if it failed; the parent sees why
    return 1;
}

} // namespace

char const* const k_name = "spawn-exec";
Parameter* const k_parameters[] = {&g_ops, &g_leave};
size_t const k_parameter_count = 2;

Outcome run() {
    if (g_leave.value != 0) linux_call::exit_with(k_leave_status);
    uint64_t sum = 9;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        long const pid =
            need("clone", iso_clone(k_clone_vm | k_clone_vfork | k_sigchld,
                                    g_stack + sizeof g_stack, child, nullptr, nullptr));
        if (g_error != 0) fail("execve failed, errno", static_cast<uint64_t>(-g_error));
        wait_child(pid, k_leave_status);
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
