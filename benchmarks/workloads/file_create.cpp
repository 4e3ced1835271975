// file-create: one operation creates an empty file in dir=, closes it and removes it again: names
// and nodes, no data.
#include "benchmarks/workloads/runtime/file.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 200};
constinit Parameter g_dir{"dir", 0, "/tmp"};
} // namespace

char const* const k_name = "file-create";
Parameter* const k_parameters[] = {&g_ops, &g_dir};
size_t const k_parameter_count = 2;

Outcome run() {
    using namespace linux_call;
    call(close, scratch_file(g_dir.text)); // says what is wrong with the directory, if anything is
    ScratchName const name(g_dir.text);
    uint64_t good = 0;
    uint64_t const before = monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        long const fd = call(openat, -100, address(name.text), k_create_new, 0600);
        bool const closed = !failed(fd) && call(close, fd) == 0;
        good += call(unlinkat, -100, address(name.text), 0) == 0 && closed ? 1 : 0;
    }
    uint64_t const after = monotonic_ns();
    if (good != g_ops.value) fail("a file could not be made or removed, times", g_ops.value - good);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(15, good);
    return outcome;
}

} // namespace iso::workload
