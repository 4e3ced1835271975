// page-fault: one operation touches a page of 4 KiB for the first time. A round maps an area,
// touches pages= of its pages, in order and stride= apart, and unmaps it again; mapping and
// unmapping count. With many pages a round nearly all of it is the fault; with a large stride no
// kernel can serve neighbouring faults together.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 2'048};
constinit Parameter g_pages{"pages", 2'048}; // 8 MiB: fits wherever a workload runs
constinit Parameter g_stride{"stride", 1};

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 24U; // pages, stride

constexpr unsigned char mark(uint64_t page) {
    return static_cast<unsigned char>(page % 255 + 1);
}

/// One round; returns the nanoseconds of mapping, touching and unmapping, adds to the checksum.
uint64_t touch(uint64_t pages, uint64_t stride, uint64_t& checksum) {
    uint64_t const step = stride * k_page;
    uint64_t const before = linux_call::monotonic_ns();
    auto* const memory = static_cast<unsigned char volatile*>(linux_call::map_pages(pages * step));
    if (memory == nullptr) fail("no memory, pages", pages);
    for (uint64_t i = 0; i < pages; ++i)
        memory[i * step] = mark(i);
    uint64_t const touched = linux_call::monotonic_ns();

    for (uint64_t i = 0; i < pages; ++i) { // what was written is there, and the rest is zero
        if (memory[i * step] != mark(i)) fail("a page lost what was written, page", i);
        if (memory[i * step + k_page / 2] != 0 || memory[i * step + k_page - 1] != 0)
            fail("a new page was not zero, page", i);
        checksum = mix(checksum, memory[i * step]);
    }

    uint64_t const checked = linux_call::monotonic_ns();
    long const unmapped = linux_call::unmap_pages(const_cast<unsigned char*>(memory), pages * step);
    uint64_t const after = linux_call::monotonic_ns();
    if (unmapped != 0) fail("munmap failed, errno", static_cast<uint64_t>(-unmapped));
    return touched - before + after - checked;
}

} // namespace

char const* const k_name = "page-fault";
Parameter* const k_parameters[] = {&g_ops, &g_pages, &g_stride};
size_t const k_parameter_count = 3;

Outcome run() {
    uint64_t const round = g_pages.value;
    if (round == 0 || round > k_limit) refuse("1 to 16M", "pages");
    if (g_stride.value == 0 || g_stride.value > k_limit) refuse("1 to 16M", "stride");
    Outcome outcome;
    outcome.ops = g_ops.value;
    for (uint64_t left = g_ops.value; left != 0;) {
        uint64_t const pages = left < round ? left : round;
        outcome.ns += touch(pages, g_stride.value, outcome.checksum);
        left -= pages;
    }
    outcome.checksum = mix(outcome.checksum, outcome.ops);
    return outcome;
}

} // namespace iso::workload
