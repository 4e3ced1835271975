// open-close: one operation opens the program's own file for reading and closes it again. That file
// has the same path in every engine, and nothing has to be made or removed.
#include "benchmarks/workloads/runtime/file.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {
constinit Parameter g_ops{"ops", 300};
} // namespace

char const* const k_name = "open-close";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    using namespace linux_call;
    OwnPath const path;
    // The lowest free number is the one that every open gets.
    long const first =
        need("open of the program's file", call(openat, -100, address(path.text), 0));
    call(close, first);
    uint64_t good = 0;
    uint64_t const before = monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        long const fd = call(openat, -100, address(path.text), 0);
        good += fd == first && call(close, fd) == 0 ? 1 : 0;
    }
    uint64_t const after = monotonic_ns();
    if (good != g_ops.value) fail("open or close failed, times", g_ops.value - good);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(3, good);
    return outcome;
}

} // namespace iso::workload
