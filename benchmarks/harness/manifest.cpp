#include "benchmarks/harness/manifest.hpp"

#include <algorithm>
#include <array>

namespace iso::bench {

namespace {

constexpr std::string_view k_cpu_time = "CPU time of the process tree, start-up subtracted";
constexpr std::string_view k_own_time = "the workload's own time per operation";

// A sample of a compute workload lasts about a tenth of a second natively: long enough that an
// engine's start-up, of which only the spread is left after the subtraction, is below one percent.
// Latency workloads are sized for the dearest engine: an operation that costs a tenth of a
// microsecond natively may cost a hundred where the guest's kernel is emulated. --quick also takes
// less memory: there the set-up, page by page, would cost seconds.
constexpr std::array k_workloads{
    Workload{"cpu-int", "integer arithmetic",
             "a chain of 64-bit integer operations in registers; an engine costs only what its "
             "interruptions cost",
             Kind::compute, 12'000'000, 6'000'000, "ns/op", k_cpu_time},
    Workload{
        "cpu-fp", "floating point (SSE2)",
        "one operation multiplies a 32 x 32 matrix of doubles; shows whether the engine leaves "
        "the floating-point unit alone",
        Kind::compute, 4'000, 2'000, "ns/op", k_cpu_time},
    Workload{"mem-stream", "memory bandwidth",
             "one operation is one pass of STREAM's four kernels over three arrays; shows what "
             "lies between the program and the memory controller",
             Kind::compute, 10, 24, "ns/op", k_cpu_time, "size=2097152"},
    Workload{
        "mem-chase", "memory latency, 4 KiB pages",
        "one operation follows one pointer of a random cycle; shows the cost of a miss in the TLB",
        Kind::compute, 800'000, 400'000, "ns/op", k_cpu_time, "size=8388608"},
    Workload{"syscall-null", "null system call",
             "one operation asks the kernel for a number: in, out, and nothing else", Kind::latency,
             4'000, 1'500, "ns/op", k_own_time},
    Workload{"page-fault", "page fault",
             "one operation maps a page of 4 KiB, touches it for the first time and unmaps it",
             Kind::latency, 4'096, 2'048, "ns/op", k_own_time},
    Workload{
        "write-small", "small write",
        "one operation writes one byte to /dev/null: a system call that reads the program's memory",
        Kind::latency, 4'000, 1'500, "ns/op", k_own_time},
    Workload{"hello",
             "start-up",
             "prints one line: what it costs to reach the first instruction, and to be gone again",
             Kind::start_up,
             0,
             0,
             "ms",
             "wall time added to native",
             {},
             5},
};

} // namespace

std::string_view to_string(Kind kind) {
    switch (kind) {
    case Kind::compute:
        return "compute";
    case Kind::latency:
        return "latency";
    case Kind::start_up:
        return "start-up";
    case Kind::program:
        return "program";
    }
    return "compute";
}

std::span<Workload const> workloads() {
    return k_workloads;
}

Workload const* find_workload(std::string_view name) {
    auto const found =
        std::find_if(k_workloads.begin(), k_workloads.end(),
                     [&](Workload const& workload) { return workload.name == name; });
    return found == k_workloads.end() ? nullptr : &*found;
}

} // namespace iso::bench
