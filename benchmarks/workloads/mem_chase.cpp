// mem-chase: memory latency. One operation follows one pointer of a random cycle through all cache
// lines of a region: every step waits for the one before, and most miss the caches and the TLB.
// In pages of 4 KiB; with huge=1 in pages of 2 MiB, which the kernel has to confirm.
#include "benchmarks/workloads/runtime/huge_pages.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 2'000'000};
constinit Parameter g_size{"size", uint64_t{32} << 20U};
constinit Parameter g_seed{"seed", 1};
constinit Parameter g_huge{"huge", 0};

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 36U;

struct alignas(64) Line {
    Line* next;
};

/// A number in [0, bound), bound < 2^32: the high half of a product (Lemire, 2019; its bias of
/// bound / 2^32 does not matter here).
uint64_t below(uint64_t bound, uint64_t& state) {
    state = mix(state, bound);
    return (state >> 32U) * bound >> 32U;
}

/// Fills `order` with the lines in the order in which the cycle visits them (Fisher and Yates'
/// shuffle in Durstenfeld's form), and links the lines so.
void link(Line* lines, uint32_t* order, uint64_t count, uint64_t seed) {
    for (uint64_t i = 0; i < count; ++i)
        order[i] = static_cast<uint32_t>(i);
    uint64_t state = seed;
    for (uint64_t i = count - 1; i > 0; --i) {
        uint64_t const j = below(i + 1, state);
        uint32_t const moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
    for (uint64_t i = 0; i < count; ++i)
        lines[order[i]].next = &lines[order[i + 1 == count ? 0 : i + 1]];
}

Line const* chase(Line const* line, uint64_t ops) {
    for (; ops >= 8; ops -= 8)
        line = line->next->next->next->next->next->next->next->next;
    for (; ops > 0; --ops)
        line = line->next;
    return line;
}

} // namespace

char const* const k_name = "mem-chase";
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_seed, &g_huge};
size_t const k_parameter_count = 4;

Outcome run() {
    uint64_t const bytes = g_size.value;
    if (bytes < k_page || bytes > k_limit || bytes % k_page != 0)
        refuse("size must be a multiple of 4K, at most 64G", "size");
    uint64_t const count = bytes / sizeof(Line);
    bool const huge = g_huge.value != 0;
    auto* const lines =
        static_cast<Line*>(huge ? map_huge_pages(bytes) : linux_call::map_pages(bytes));
    auto* const order = static_cast<uint32_t*>(linux_call::map_pages(count * sizeof(uint32_t)));
    if (lines == nullptr || order == nullptr) fail("no memory, bytes", bytes);
    for (uint64_t i = 0; i < bytes / k_page; ++i) // pages in order, before random access needs them
        lines[i * (k_page / sizeof(Line))].next = lines;
    if (huge) confirm_huge_pages(lines, bytes);
    link(lines, order, count, g_seed.value);

    Line const* const start = &lines[order[0]];
    uint64_t const before = linux_call::monotonic_ns();
    Line const* const end = chase(start, opaque(g_ops.value));
    asm volatile("" ::"r"(end) : "memory"); // the chase ends before the clock is read
    uint64_t const after = linux_call::monotonic_ns();

    auto const index = static_cast<uint64_t>(end - lines);
    if (index != order[g_ops.value % count]) fail("the chase ended at a wrong line", index);
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(mix(mix(mix(0, count), g_seed.value), g_ops.value), index);
    return outcome;
}

} // namespace iso::workload
