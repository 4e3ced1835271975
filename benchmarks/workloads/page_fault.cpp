// page-fault: one operation maps a page of 4 KiB, touches it for the first time and unmaps it, in
// rounds of 2048 pages. Nearly all of it is the fault.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 2'048};

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_round = 2048; // 8 MiB: fits wherever a workload runs

constexpr unsigned char mark(uint64_t page) {
    return static_cast<unsigned char>(page % 255 + 1);
}

/// One round; returns the nanoseconds of mapping, touching and unmapping, adds to the checksum.
uint64_t touch(uint64_t pages, uint64_t& checksum) {
    uint64_t const before = linux_call::monotonic_ns();
    auto* const memory =
        static_cast<unsigned char volatile*>(linux_call::map_pages(pages * k_page));
    if (memory == nullptr) fail("no memory, pages", pages);
    for (uint64_t i = 0; i < pages; ++i)
        memory[i * k_page] = mark(i);
    uint64_t const touched = linux_call::monotonic_ns();

    for (uint64_t i = 0; i < pages; ++i) { // what was written is there, and the rest is zero
        if (memory[i * k_page] != mark(i)) fail("a page lost what was written, page", i);
        if (memory[i * k_page + k_page / 2] != 0 || memory[i * k_page + k_page - 1] != 0)
            fail("a new page was not zero, page", i);
        checksum = mix(checksum, memory[i * k_page]);
    }

    uint64_t const checked = linux_call::monotonic_ns();
    long const unmapped =
        linux_call::unmap_pages(const_cast<unsigned char*>(memory), pages * k_page);
    uint64_t const after = linux_call::monotonic_ns();
    if (unmapped != 0) fail("munmap failed, errno", static_cast<uint64_t>(-unmapped));
    return touched - before + after - checked;
}

} // namespace

char const* const k_name = "page-fault";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    Outcome outcome;
    outcome.ops = g_ops.value;
    for (uint64_t left = g_ops.value; left != 0;) {
        uint64_t const pages = left < k_round ? left : k_round;
        outcome.ns += touch(pages, outcome.checksum);
        left -= pages;
    }
    outcome.checksum = mix(outcome.checksum, outcome.ops);
    return outcome;
}

} // namespace iso::workload
