// file-write: one operation writes the next chunk of a file in dir=, from its beginning again at
// the end. Nothing waits for a disk: what is behind the cache is file-fsync's subject.
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

char const* const k_name = "file-write";
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_chunk, &g_dir};
size_t const k_parameter_count = 4;

Outcome run() {
    uint64_t const size = g_size.value;
    uint64_t const chunk = g_chunk.value;
    check_sizes(size, chunk, k_largest_chunk);
    long const fd = scratch_file(g_dir.text);
    write_file(fd, g_buffer, size, chunk); // the file's own pages are not what is measured

    uint64_t at = 0;
    Outcome outcome;
    outcome.ops = g_ops.value;
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        g_buffer[0] = word_at(at) + i + 1; // other bytes than those that are there
        uint64_t const before = linux_call::monotonic_ns();
        transfer(linux_call::pwrite64, fd, g_buffer, chunk, at);
        outcome.ns += linux_call::monotonic_ns() - before;
        at = at + chunk == size ? 0 : at + chunk;
    }
    at = 0; // reads what the last round left
    uint64_t sum = 11;
    uint64_t const chunks = size / chunk;
    for (uint64_t k = 0; k < chunks; ++k) {
        transfer(linux_call::pread64, fd, g_buffer, k_block, k * chunk);
        uint64_t const rounds = g_ops.value / chunks + (k < g_ops.value % chunks ? 1 : 0);
        uint64_t const last = rounds == 0 ? 0 : (rounds - 1) * chunks + k + 1;
        if (g_buffer[0] != word_at(k * chunk) + last) fail("wrong data in chunk", k);
        sum = mix(sum, g_buffer[0]);
    }
    outcome.checksum = sum;
    outcome.bytes = g_ops.value * chunk;
    return outcome;
}

} // namespace iso::workload
