// neighbour: says that it runs, and takes as much of one thing as it can until it is told to end.
// What another instance's program feels of that is taken there (benchmarks/harness/beside.cpp).
#include "benchmarks/workloads/runtime/file.hpp"
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_kind{"kind", 0, "cpu"};
constinit Parameter g_seconds{"seconds", 60};
constinit Parameter g_size{"size", uint64_t{16} << 20U}; // of memory, in bytes
constinit Parameter g_dir{"dir", 0, "/tmp"};

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 32U;

/// As the first process of a namespace it would not hear SIGTERM without a handler
/// (pid_namespaces(7)).
void end(int /*signal*/) {
    linux_call::exit_with(0);
}

/// The kernel's struct sigaction (arch/x86/include/uapi/asm/signal.h). The handler never returns,
/// so the restorer is never called; the flag has to be there all the same.
struct Action {
    void (*handler)(int) = end;
    unsigned long flags = 0x04000000; // SA_RESTORER
    void (*restorer)(int) = end;
    unsigned long mask = 0;
};

uint64_t* g_memory;
long g_file;
alignas(k_block) uint64_t g_buffer[16 * k_block / 8];

// A round of each lasts about a millisecond or less; between two it looks at the clock.

void spin() {
    uint64_t state = opaque(uint64_t{1});
    for (unsigned i = 0; i < 500'000; ++i)
        state = state * 6364136223846793005U + 1442695040888963407U;
    opaque(state);
}

/// Copies one half onto the other: reads and writes that no cache keeps.
void copy() {
    static uint64_t at = 0;
    uint64_t const half = g_size.value / 2 / 8;
    uint64_t const words = half < 64 * 1024 ? half : 64 * 1024;
    at = at + words > half ? 0 : at;
    for (uint64_t i = at; i < at + words; ++i)
        g_memory[half + i] = g_memory[i] + 1;
    asm volatile("" ::: "memory");
    at += words;
}

void fork_once() {
    long const child = fork_child();
    if (child == 0) linux_call::exit_with(0);
    wait_child(child, 0);
}

/// Writes 64 KiB and waits until the kernel says that they are safe.
void write_once() {
    static uint64_t at = 0;
    transfer(linux_call::pwrite64, g_file, g_buffer, sizeof g_buffer, at);
    need("fsync", linux_call::call(linux_call::fsync, g_file));
    at = (at + sizeof g_buffer) % (uint64_t{1} << 20U);
}

void get_memory() {
    if (g_size.value < 2 * k_page || g_size.value > k_limit || g_size.value % (2 * k_page) != 0)
        refuse("size must be a multiple of 8K, at most 4G", "size");
    g_memory = static_cast<uint64_t*>(linux_call::map_pages(g_size.value));
    if (g_memory == nullptr) fail("no memory, bytes", g_size.value);
    for (uint64_t i = 0; i < g_size.value / 8; i += k_page / 8)
        g_memory[i] = i;
}

void get_file() {
    g_file = scratch_file(g_dir.text);
    write_once();
}

void get_child() {
    fork_once();
}

struct Kind {
    char const* name;
    void (*prepare)(); // and finds out whether this kernel can do it
    void (*round)();
};

constexpr Kind k_kinds[] = {{"cpu", spin, spin},
                            {"memory", get_memory, copy},
                            {"fork", get_child, fork_once},
                            {"disk", get_file, write_once}};

Kind const& chosen() {
    for (Kind const& kind : k_kinds)
        if (equal(kind.name, g_kind.text)) return kind;
    refuse("kind is cpu, memory, fork or disk", g_kind.text);
}

} // namespace

char const* const k_name = "neighbour";
Parameter* const k_parameters[] = {&g_kind, &g_seconds, &g_size, &g_dir};
size_t const k_parameter_count = 4;

Outcome run() {
    using namespace linux_call;
    Kind const& kind = chosen();
    constexpr long sigterm = 15;
    Action const action;
    need("rt_sigaction", call(rt_sigaction, sigterm, address(&action), 0, sizeof action.mask));
    kind.prepare();
    uint64_t const deadline = monotonic_ns() + g_seconds.value * 1'000'000'000U;
    Text line;
    line.add("{\"workload\":\"neighbour\",\"entry_ns\":").add_decimal(monotonic_ns()).add("}\n");
    if (write_all(1, line.data(), line.size()) != 0) fail("cannot write");
    while (monotonic_ns() < deadline)
        kind.round();
    exit_with(0);
}

} // namespace iso::workload
