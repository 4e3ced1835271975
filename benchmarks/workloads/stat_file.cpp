// stat-file: one operation asks for the status of the program's own file by its path.
#include "benchmarks/workloads/runtime/file.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 400};

/// struct stat of x86-64 (the kernel's arch/x86/include/uapi/asm/stat.h), as far as it is looked
/// at.
struct Status {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special;
    int64_t size;
    uint64_t rest[11];
};
static_assert(sizeof(Status) == 144);

} // namespace

char const* const k_name = "stat-file";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    using namespace linux_call;
    OwnPath const path;
    Status status{};
    need("stat", call(newfstatat, -100, address(path.text), address(&status), 0));
    int64_t const size = status.size;
    if ((status.mode & 0170000U) != 0100000U || size <= 0) fail("not a file, mode", status.mode);
    uint64_t good = 0;
    uint64_t const before = monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        status.size = 0;
        long const result = call(newfstatat, -100, address(path.text), address(&status), 0);
        good += result == 0 && status.size == size ? 1 : 0;
    }
    uint64_t const after = monotonic_ns();
    if (good != g_ops.value) fail("stat failed or changed its mind, times", g_ops.value - good);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(mix(4, good), static_cast<uint64_t>(size));
    return outcome;
}

} // namespace iso::workload
