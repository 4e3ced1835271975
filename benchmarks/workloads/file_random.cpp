// file-random: one operation reads 4 KiB at a random multiple of 4 KiB of a file in dir= that is in
// the cache.
#include "benchmarks/workloads/runtime/file.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 500};
constinit Parameter g_size{"size", uint64_t{2} << 20U};
constinit Parameter g_seed{"seed", 1};
constinit Parameter g_dir{"dir", 0, "/tmp"};

alignas(4096) uint64_t g_buffer[65536 / 8];

/// The i-th place, in [0, bound).
uint64_t place(uint64_t i, uint64_t bound) {
    return (mix(g_seed.value, i) >> 32U) * bound >> 32U;
}

} // namespace

char const* const k_name = "file-random";
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_seed, &g_dir};
size_t const k_parameter_count = 4;

Outcome run() {
    uint64_t const size = g_size.value;
    check_sizes(size, sizeof g_buffer, sizeof g_buffer);
    long const fd = scratch_file(g_dir.text);
    write_file(fd, g_buffer, size, sizeof g_buffer);
    uint64_t const blocks = size / k_block;

    uint64_t sum = 13;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        transfer(linux_call::pread64, fd, g_buffer, k_block, place(i, blocks) * k_block);
        sum = mix(sum, g_buffer[0] ^ g_buffer[k_block / 8 - 1]);
    }
    uint64_t const after = linux_call::monotonic_ns();

    uint64_t expected = 13;
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        uint64_t const at = place(i, blocks) * k_block;
        expected = mix(expected, word_at(at) ^ word_at(at + k_block - 8));
    }
    if (sum != expected) fail("a read gave wrong data", sum);
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = sum;
    return outcome;
}

} // namespace iso::workload
