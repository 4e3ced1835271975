// The boundary under stress: rounds of system calls, page faults and revocations with ticks
// between, each round's results checked. Prints one line with a checksum that every engine must
// reproduce.
#include "benchmarks/workloads/runtime/linux.hpp"
#include "benchmarks/workloads/runtime/text.hpp"

namespace {

using namespace iso;
using namespace iso::linux_call;

uint64_t g_sum = 0;
uint64_t g_state = 0x9e3779b97f4a7c15;

uint64_t next() { // xorshift64
    g_state ^= g_state << 13U;
    g_state ^= g_state >> 7U;
    g_state ^= g_state << 17U;
    return g_state;
}

[[noreturn]] void wrong(char const* what, uint64_t round) {
    Text line;
    line.add("wrong: ").add(what).add(" in round ").add_decimal(round).add("\n");
    (void)write_all(2, line.data(), line.size());
    exit_with(1);
}

/// Puts a value into each of xmm0-15, spins long enough to be interrupted, then makes a system
/// call, and adds up what is in the registers afterwards.
uint64_t vector_registers(uint64_t seed) {
    alignas(16) uint64_t in[32];
    alignas(16) uint64_t out[32];
    for (unsigned i = 0; i < 32; ++i)
        in[i] = seed * (i + 1);
    long number = getppid;
    uint64_t spins = 3000;
#define ISO_XMM(op, a, b)                                                                          \
    op(0, a, b) op(1, a, b) op(2, a, b) op(3, a, b) op(4, a, b) op(5, a, b) op(6, a, b)            \
        op(7, a, b) op(8, a, b) op(9, a, b) op(10, a, b) op(11, a, b) op(12, a, b) op(13, a, b)    \
            op(14, a, b) op(15, a, b)
#define ISO_LOAD_XMM(n, a, b) "movdqa 16*" #n "(%[in]), %%xmm" #n "\n\t"
#define ISO_STORE_XMM(n, a, b) "movdqa %%xmm" #n ", 16*" #n "(%[out])\n\t"
    asm volatile(ISO_XMM(ISO_LOAD_XMM,
                         , ) "1: dec %[spins]\n\tjnz 1b\n\tsyscall\n\t" ISO_XMM(ISO_STORE_XMM, , )
                 : "+a"(number), [spins] "+r"(spins)
                 : [in] "r"(in), [out] "r"(out)
                 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    uint64_t sum = 0;
    for (unsigned i = 0; i < 32; ++i) {
        if (out[i] != in[i]) return ~seed;
        sum += out[i] * (i + 3);
    }
    return sum;
}

void memory(uint64_t round) {
    uint64_t const pages = 4 + next() % 61;
    auto* const area = static_cast<uint64_t volatile*>(map_pages(pages * 4096));
    if (area == nullptr) wrong("mmap", round);
    for (uint64_t page = 0; page < pages; ++page) {
        if (area[page * 512 + page % 512] != 0) wrong("a fresh page is not empty", round);
        area[page * 512 + page % 512] = round ^ page;
        area[page * 512 + 511 - page % 7] = ~page;
    }
    for (uint64_t page = 0; page < pages; ++page) {
        if (area[page * 512 + page % 512] != (round ^ page) ||
            area[page * 512 + 511 - page % 7] != ~page)
            wrong("a page lost its value", round);
        g_sum = g_sum * 31 + area[page * 512 + page % 512];
    }
    if (unmap_pages(const_cast<uint64_t*>(area), pages * 4096) != 0) wrong("munmap", round);
}

[[noreturn]] void stress(char const* const* stack) {
    uint64_t rounds = 0;
    if (reinterpret_cast<uintptr_t>(stack[0]) > 1)
        for (char const* text = stack[2]; *text != '\0'; ++text)
            rounds = rounds * 10 + static_cast<uint64_t>(*text - '0');
    long const null = call(openat, -100, address("/dev/null"), 1 /* O_WRONLY */);
    if (failed(null)) wrong("/dev/null", 0);
    long const self = call(getpid);
    for (uint64_t round = 0; round < rounds; ++round) {
        if (call(getpid) != self) wrong("getpid", round);
        memory(round);
        char const byte = 'x';
        if (call(write, null, address(&byte), 1) != 1) wrong("write", round);
        uint64_t const seed = next() | 1U;
        uint64_t const sum = vector_registers(seed);
        if (sum == ~seed) wrong("a vector register changed", round);
        g_sum = g_sum * 31 + sum;
    }
    Text line;
    line.add("rounds ").add_decimal(rounds).add(" checksum ").add_hex16(g_sum).add("\n");
    exit_with(write_all(1, line.data(), line.size()) == 0 ? 0 : 1);
}

} // namespace

extern "C" [[noreturn]] void iso_entry(char const* const* stack) {
    stress(stack);
}
