// syscall-null: the price of crossing into the kernel and back. getppid is the call that lmbench
// uses: it does next to nothing, and no C library answers it from memory.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 5'000};
} // namespace

char const* const k_name = "syscall-null";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    long const parent = linux_call::call(linux_call::getppid);
    if (linux_call::failed(parent)) fail("getppid failed, errno", static_cast<uint64_t>(-parent));
    uint64_t same = 0;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        same += linux_call::call(linux_call::getppid) == parent ? 1 : 0;
    uint64_t const after = linux_call::monotonic_ns();
    if (same != g_ops.value) fail("getppid gave another answer, times", g_ops.value - same);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(0, same);
    return outcome;
}

} // namespace iso::workload
