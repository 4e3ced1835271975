// The ways in which a program dies of itself, and the signal that Linux makes of each
// (arch/x86/kernel/traps.c).
#include "tests/programs/behave.hpp"

namespace iso::behave {

namespace {

using namespace linux_call;

// Addresses as numbers, made opaque: the compiler may not know that they are bad.
char volatile* at(uintptr_t where) {
    asm volatile("" : "+r"(where));
    return reinterpret_cast<char volatile*>(where);
}

alignas(4096) unsigned char g_data[4096] = {0xc3}; // `ret`, in a page that must not be executable

__attribute__((noinline)) int recurse(int depth) {
    char volatile frame[4096];
    frame[0] = static_cast<char>(depth);
    if (depth < 0) return 0; // never
    return recurse(depth + 1) + frame[0];
}

void call_data() {
    auto* const function =
        reinterpret_cast<void (*)()>(const_cast<char*>(at(reinterpret_cast<uintptr_t>(g_data))));
    function();
}

struct Way {
    char const* name;
    void (*die)();
};

constexpr Way k_ways[] = {
    {"null", [] { *at(0) = 1; }},                          // SIGSEGV
    {"wild", [] { *at(0x1234'5678'9000) = 1; }},           // SIGSEGV
    {"kernel", [] { (void)*at(0xffff'8000'0000'0000); }},  // SIGSEGV
    {"guest-kernel", [] { (void)*at(0x6000'0020'0000); }}, // SIGSEGV: where our guest kernel lives
    {"noncanonical", [] { (void)*at(0x8000'0000'0000'0000); }}, // #GP: SIGSEGV
    {"ud2", [] { asm volatile("ud2"); }},                       // #UD: SIGILL
    {"div0",
     [] {
         asm volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::
                          : "eax", "ecx", "edx"); // #DE: SIGFPE
     }},
    {"gp", [] { asm volatile("hlt"); }},  // #GP: SIGSEGV
    {"cli", [] { asm volatile("cli"); }}, // #GP: SIGSEGV
    {"port",
     [] { asm volatile("outl %%eax, %%dx" ::"a"(1), "d"(0x500)); }}, // #GP: the doorbell's port
    {"int3", [] { asm volatile("int3"); }},                          // #BP: SIGTRAP
    {"stack-overflow", [] { recurse(0); }},                          // SIGSEGV
    {"exec-data", call_data},                                        // SIGSEGV
    {"write-text", [] { *at(reinterpret_cast<uintptr_t>(&call_data)) = 0; }},     // SIGSEGV
    {"write-constant", [] { *at(reinterpret_cast<uintptr_t>("constant")) = 0; }}, // SIGSEGV
    {"abort", [] { call(kill, call(getpid), 6); }},                               // SIGABRT
};

} // namespace

int crash(char const* way) {
    for (Way const& known : k_ways)
        if (equal(known.name, way)) {
            known.die();
            Text line;
            complain(line.add("behave: survived ").add(way).add("\n"));
            return k_survived;
        }
    Text line;
    complain(line.add("behave: unknown crash '").add(way).add("'\n"));
    return k_usage;
}

} // namespace iso::behave
