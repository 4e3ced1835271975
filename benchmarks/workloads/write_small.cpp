// write-small: one operation writes one byte to /dev/null: a system call with a pointer, a
// descriptor and a file behind it, but no device.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 2'000};

constexpr long k_at_fdcwd = -100;
constexpr long k_write_only = 1;

} // namespace

char const* const k_name = "write-small";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    char const byte = 'x';
    long const fd = linux_call::call(linux_call::openat, k_at_fdcwd,
                                     linux_call::address("/dev/null"), k_write_only);
    if (linux_call::failed(fd)) fail("cannot open /dev/null, errno", static_cast<uint64_t>(-fd));
    uint64_t written = 0;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        written +=
            linux_call::call(linux_call::write, fd, linux_call::address(&byte), 1) == 1 ? 1 : 0;
    uint64_t const after = linux_call::monotonic_ns();
    if (written != g_ops.value) fail("a write to /dev/null failed, times", g_ops.value - written);
    linux_call::call(linux_call::close, fd);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(1, written);
    return outcome;
}

} // namespace iso::workload
