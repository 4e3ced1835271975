// read-small: one operation reads one byte from /dev/zero: a system call that writes the program's
// memory.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 2'000};
} // namespace

char const* const k_name = "read-small";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    using namespace linux_call;
    long const fd = need("open(/dev/zero)", call(openat, -100, address("/dev/zero"), 0));
    char byte = 'x';
    uint64_t zeros = 0;
    uint64_t const before = monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        byte = 'x';
        long const n = call(read, fd, address(&byte), 1);
        zeros += n == 1 && byte == 0 ? 1 : 0;
    }
    uint64_t const after = monotonic_ns();
    if (zeros != g_ops.value)
        fail("a read gave something else than zero, times", g_ops.value - zeros);
    call(close, fd);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(2, zeros);
    return outcome;
}

} // namespace iso::workload
