// file-fsync: one operation writes 4 KiB to a file in dir= and waits until the kernel says that
// they are on the disk, as a database does for every transaction.
#include "benchmarks/workloads/runtime/file.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 16};
constinit Parameter g_dir{"dir", 0, "/tmp"};

constexpr uint64_t k_blocks = 16; // one after the other, then the first again
alignas(4096) uint64_t g_buffer[k_block / 8];

} // namespace

char const* const k_name = "file-fsync";
Parameter* const k_parameters[] = {&g_ops, &g_dir};
size_t const k_parameter_count = 2;

Outcome run() {
    long const fd = scratch_file(g_dir.text);
    write_file(fd, g_buffer, k_blocks * k_block, k_block);
    need("fsync", linux_call::call(linux_call::fsync, fd));

    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        g_buffer[0] = i + 1;
        transfer(linux_call::pwrite64, fd, g_buffer, k_block, i % k_blocks * k_block);
        need("fsync", linux_call::call(linux_call::fsync, fd));
    }
    uint64_t const after = linux_call::monotonic_ns();

    uint64_t sum = 14;
    for (uint64_t i = g_ops.value < k_blocks ? 0 : g_ops.value - k_blocks; i < g_ops.value; ++i) {
        transfer(linux_call::pread64, fd, g_buffer, k_block, i % k_blocks * k_block);
        if (g_buffer[0] != i + 1) fail("wrong data in block", i % k_blocks);
        sum = mix(sum, g_buffer[0]);
    }
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(sum, g_ops.value);
    return outcome;
}

} // namespace iso::workload
