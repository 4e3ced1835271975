// cow-fault: one operation writes to a page that a forked child shares with its parent: a fault,
// and a copy of 4 KiB. The child times its own writes; forking and exiting do not count.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 512};
constinit Parameter g_pages{"pages", 256}; // of one fork

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 20U;

constexpr uint64_t mark(uint64_t page) {
    return mix(10, page);
}

/// The child: writes one word of each page, and looks at another. Returns the nanoseconds.
uint64_t write_all_pages(uint64_t volatile* memory, uint64_t pages) {
    uint64_t const words = k_page / sizeof(uint64_t);
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < pages; ++i)
        memory[i * words] = ~mark(i);
    uint64_t const after = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < pages; ++i)
        if (memory[i * words] != ~mark(i) || memory[i * words + words - 1] != mark(i))
            fail("the child's copy is wrong, page", i);
    return after - before;
}

uint64_t one_fork(uint64_t volatile* memory, uint64_t pages, PipeEnds pipe) {
    long const child = fork_child();
    if (child == 0) {
        uint64_t const ns = write_all_pages(memory, pages);
        long const n =
            linux_call::call(linux_call::write, pipe.write, linux_call::address(&ns), sizeof ns);
        linux_call::exit_with(n == sizeof ns ? 0 : 1);
    }
    wait_child(child, 0);
    uint64_t ns = 0;
    long const n =
        linux_call::call(linux_call::read, pipe.read, linux_call::address(&ns), sizeof ns);
    if (n != sizeof ns) fail("the child said nothing");
    return ns;
}

} // namespace

char const* const k_name = "cow-fault";
Parameter* const k_parameters[] = {&g_ops, &g_pages};
size_t const k_parameter_count = 2;

Outcome run() {
    uint64_t const round = g_pages.value;
    if (round == 0 || round > k_limit) refuse("1 to 1M", "pages");
    uint64_t const words = k_page / sizeof(uint64_t);
    auto* const memory = static_cast<uint64_t volatile*>(linux_call::map_pages(round * k_page));
    if (memory == nullptr) fail("no memory, pages", round);
    for (uint64_t i = 0; i < round; ++i) {
        memory[i * words] = mark(i);
        memory[i * words + words - 1] = mark(i);
    }
    PipeEnds const pipe = make_pipe();
    Outcome outcome;
    outcome.ops = g_ops.value;
    for (uint64_t left = g_ops.value; left != 0;) {
        uint64_t const pages = left < round ? left : round;
        outcome.ns += one_fork(memory, pages, pipe);
        left -= pages;
    }
    for (uint64_t i = 0; i < round; ++i) { // the parent's pages are as they were
        if (memory[i * words] != mark(i)) fail("the child wrote to the parent's page", i);
        outcome.checksum = mix(outcome.checksum, memory[i * words + words - 1]);
    }
    outcome.checksum = mix(outcome.checksum, outcome.ops);
    return outcome;
}

} // namespace iso::workload
