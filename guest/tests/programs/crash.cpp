// Ends the way its argument says.
#include "sys.hpp"

namespace {

constexpr u64 k_pages = 3; // PROT_READ | PROT_WRITE
constexpr u64 k_private = 0x22;

char const read_only[4096] = {1};

u64 map(u64 bytes, u64 protection) {
    return static_cast<u64>(sys(__NR_mmap, 0, bytes, protection, k_private, ~0ul));
}

void store(u64 address) {
    *reinterpret_cast<char volatile*>(address) = 1;
}
char load(u64 address) {
    return *reinterpret_cast<char volatile*>(address);
}
void jump(u64 address) {
    asm volatile("jmp *%0" : : "r"(address));
}

int volatile forever = 1;

int deep(int depth) {
    char volatile frame[4096];
    frame[0] = static_cast<char>(depth);
    if (forever == 0) return 0;
    return deep(depth + 1) + frame[0];
}

void raise(long signal) {
    sys(__NR_kill, static_cast<u64>(sys(__NR_getpid)), static_cast<u64>(signal));
}

struct Kind {
    char const* name;
    void (*run)();
};

Kind const kinds[] = {
    {"null-read", [] { load(0); }},
    {"null-write", [] { store(0); }},
    {"null-jump", [] { jump(0); }},
    {"wild-read", [] { load(0x123456789000); }},
    {"kernel-read", [] { load(0x600000200000); }},
    {"kernel-write", [] { store(0x600000300000); }},
    {"kernel-jump", [] { jump(0x600000200300); }},
    {"high-read", [] { load(0xffff800000000000); }},
    {"noncanonical-read", [] { load(0x900000000000); }},
    {"noncanonical-jump", [] { jump(0x900000000000); }},
    {"noncanonical-stack", [] { asm volatile("mov %0, %%rsp; push %0"
                                             :
                                             : "r"(0x900000000000)); }},
    {"text-write", [] { store(at(reinterpret_cast<void*>(&jump))); }},
    {"rodata-write", [] { store(at(read_only)); }},
    {"data-jump", [] { jump(map(4096, k_pages)); }},
    {"none-read", [] { load(map(4096, 0)); }},
    {"unmapped-read",
     [] {
         u64 const page = map(4096, k_pages);
         store(page);
         sys(__NR_munmap, page, 4096);
         load(page);
     }},
    {"downgraded-write",
     [] {
         u64 const page = map(4096, k_pages);
         store(page);
         sys(__NR_mprotect, page, 4096, 1);
         store(page);
     }},
    {"stack-overflow", [] { deep(0); }},
    {"divide", [] { asm volatile("xor %%ecx, %%ecx; div %%ecx"
                                 :
                                 : "a"(1), "d"(0)
                                 : "rcx"); }},
    {"undefined", [] { asm volatile("ud2"); }},
    {"breakpoint", [] { asm volatile("int3"); }},
    {"single-step", [] { asm volatile("pushf; orq $0x100, (%rsp); popf; nop; nop"); }},
    {"privileged", [] { asm volatile("cli"); }},
    {"halt", [] { asm volatile("hlt"); }},
    {"control-register", [] { asm volatile("mov %%cr3, %%rax"
                                           :
                                           :
                                           : "rax"); }},
    {"msr", [] { asm volatile("wrmsr"
                              :
                              : "c"(0xc0000082), "a"(0), "d"(0)); }},
    {"port", [] { asm volatile("outl %%eax, %%dx"
                               :
                               : "a"(5), "d"(0x500)); }},
    {"segment", [] { asm volatile("mov %0, %%fs"
                                  :
                                  : "r"(0x48)); }},
    {"alignment",
     [] {
         asm volatile("pushf; orq $0x40000, (%%rsp); popf; mov %0, %%rax"
                      :
                      : "m"(*reinterpret_cast<long const*>(read_only + 1))
                      : "rax");
     }},
    {"x87",
     [] {
         unsigned short const control = 0x0360; // divide by zero not masked
         asm volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
     }},
    {"sse",
     [] {
         unsigned const control = 0x1d80; // divide by zero not masked
         asm volatile(
             "ldmxcsr %0; xorps %%xmm1, %%xmm1; mov $0x3f800000, %%eax; movd %%eax, %%xmm0;"
             "divss %%xmm1, %%xmm0"
             :
             : "m"(control)
             : "rax", "xmm0", "xmm1");
     }},
    {"beyond-file",
     [] {
         long const fd = sys(__NR_open, at("/proc/self/exe"), 0);
         u64 const view = static_cast<u64>(sys(__NR_mmap, 0, 1 << 20, 1, 2, static_cast<u64>(fd)));
         load(view);
         load(view + (1 << 20) - 4096);
     }},
    {"abort", [] { raise(6); }},
    {"term", [] { raise(15); }},
    {"kill", [] { raise(9); }},
    {"real-time", [] { raise(34); }},
    {"ignored-then-exit", [] { raise(17); }}, // SIGCHLD
    {"blocked-then-freed",
     [] {
         u64 mask = 1 << (10 - 1); // SIGUSR1
         sys(__NR_rt_sigprocmask, 0, at(&mask), 0, 8);
         raise(10);
         say("blocked\n");
         sys(__NR_rt_sigprocmask, 1, at(&mask), 0, 8);
         say("never\n");
     }},
    {"exit-42", [] { sys(__NR_exit, 42); }},
    {"exit-256", [] { sys(__NR_exit_group, 256 + 7); }},
};

} // namespace

int main(int argc, char** argv) {
    for (Kind const& kind : kinds) {
        if (argc < 2) {
            say(kind.name);
            say("\n");
        } else if (same(argv[1], kind.name)) {
            say("before\n");
            kind.run();
            say("after\n");
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
