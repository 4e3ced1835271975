// file-read: one operation reads the next chunk of a file in dir= that is in the cache, from its
// beginning again at the end.
#include "benchmarks/workloads/runtime/file.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 64};
constinit Parameter g_size{"size", uint64_t{2} << 20U};
constinit Parameter g_chunk{"chunk", 65536};
constinit Parameter g_dir{"dir", 0, "/tmp"};

constexpr uint64_t k_largest_chunk = uint64_t{1} << 20U;
alignas(4096) uint64_t g_buffer[k_largest_chunk / 8];

} // namespace

char const* const k_name = "file-read";
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_chunk, &g_dir};
size_t const k_parameter_count = 4;

Outcome run() {
    uint64_t const size = g_size.value;
    uint64_t const chunk = g_chunk.value;
    check_sizes(size, chunk, k_largest_chunk);
    long const fd = scratch_file(g_dir.text);
    write_file(fd, g_buffer, size, chunk);
    for (uint64_t at = 0; at < size; at += chunk) { // all of it is right, before the clock starts
        transfer(linux_call::pread64, fd, g_buffer, chunk, at);
        check(g_buffer, chunk, at);
    }

    uint64_t at = 0;
    uint64_t sum = 12;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        transfer(linux_call::pread64, fd, g_buffer, chunk, at);
        sum = mix(sum, g_buffer[0] ^ g_buffer[chunk / 8 - 1]);
        at = at + chunk == size ? 0 : at + chunk;
    }
    uint64_t const after = linux_call::monotonic_ns();

    uint64_t expected = 12;
    at = 0;
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        expected = mix(expected, word_at(at) ^ word_at(at + chunk - 8));
        at = at + chunk == size ? 0 : at + chunk;
    }
    if (sum != expected) fail("a read gave wrong data", sum);
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = sum;
    outcome.bytes = g_ops.value * chunk;
    return outcome;
}

} // namespace iso::workload
