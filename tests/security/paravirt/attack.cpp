// A hostile program for paravirt-demo: what guest user code can try against the boundary. One
// attempt for each run, named by the first argument; the second is its number. An attempt that must
// end in death and did not ends with k_hole.
#include "benchmarks/workloads/runtime/linux.hpp"
#include "benchmarks/workloads/runtime/text.hpp"
#include "paravirt-demo/stub/boundary.hpp"

namespace {

using namespace iso;
using namespace iso::linux_call;
using pv::EventPage;

constexpr int k_held = 0;
constexpr int k_usage = 2;
constexpr int k_hole = 99;

constexpr long k_enosys = -38;
constexpr uint64_t k_garbage = 0xdead'beef'dead'beef;

alignas(4096) unsigned char g_page[8192];

EventPage volatile& event() {
    return *reinterpret_cast<EventPage volatile*>(pv::k_event_va);
}

uint64_t parse(char const* text) {
    uint64_t value = 0;
    bool const hex = text[0] == '0' && text[1] == 'x';
    for (text += hex ? 2 : 0; *text != '\0'; ++text) {
        unsigned const digit = static_cast<unsigned>(*text <= '9' ? *text - '0' : *text - 'a' + 10);
        value = value * (hex ? 16 : 10) + digit;
    }
    return value;
}

bool equal(char const* a, char const* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

// ---- The stub's own system call instructions, found as an attacker would: by their bytes
// ------------

/// The address of the n-th `syscall` in the stub's text, or 0.
uint64_t syscall_in_stub(unsigned n) {
    auto const* const text = reinterpret_cast<unsigned char const*>(pv::k_stub_base);
    for (uint64_t i = 4096; i < 2 * 4096 - 1; ++i)
        if (text[i] == 0x0f && text[i + 1] == 0x05 && n-- == 0) return pv::k_stub_base + i;
    return 0;
}

/// The virtual CPU's gate: the one whose next instruction returns.
uint64_t gate() {
    for (unsigned n = 0;; ++n) {
        uint64_t const at = syscall_in_stub(n);
        if (at == 0) exit_with(k_usage);
        if (*reinterpret_cast<unsigned char const*>(at + 2) == 0xc3) return at;
    }
}

long call_gate(long number, long a, long b, long c, long d) {
    static uint64_t const at = gate();
    long result = number;
    register long r10 asm("r10") = d;
    register uint64_t r11 asm("r11") = at;
    asm volatile("call *%[at]"
                 : "+a"(result), [at] "+r"(r11)
                 : "D"(a), "S"(b), "d"(c), "r"(r10)
                 : "rcx", "memory");
    return result;
}

/// Goes to `target` with every register chosen; nothing comes back from most places.
[[noreturn]] void jump(uint64_t target, long number, long a, long b, long c) {
    asm volatile("mov %[page], %%rbx\n\t"
                 "mov %%rbx, %%r12\n\t"
                 "mov %%rbx, %%r13\n\t"
                 "mov %%rbx, %%r14\n\t"
                 "mov %%rbx, %%r15\n\t"
                 "mov $0x11, %%r10d\n\t"
                 "mov $3, %%r8d\n\t"
                 "xor %%r9d, %%r9d\n\t"
                 "push $0\n\t"
                 "jmp *%[target]"
                 :
                 : [target] "r"(target), [page] "r"(g_page), "a"(number), "D"(a), "S"(b), "d"(c)
                 : "rbx", "r8", "r9", "r10", "r12", "r13", "r14", "r15", "memory");
    exit_with(k_hole);
}

// ---- Attempts
// ---------------------------------------------------------------------------------------

int read_at(uint64_t at) {
    g_page[0] = *reinterpret_cast<unsigned char const volatile*>(at);
    return k_hole;
}

int write_at(uint64_t at) {
    auto* const byte = reinterpret_cast<unsigned char volatile*>(at);
    *byte = *byte;
    return k_hole;
}

int call_at(uint64_t at) {
    reinterpret_cast<void (*)()>(at)();
    return k_hole;
}

int instruction(uint64_t which) {
    switch (which) {
    case 0:
        asm volatile("cli");
        break;
    case 1:
        asm volatile("hlt");
        break;
    case 2:
        asm volatile("int $0x80" : : "a"(1), "b"(k_hole) : "memory");
        break; // i386 exit
    case 3:
        asm volatile("mov %%rsp, %%rbp\n\tsysenter"
                     :
                     : "a"(1), "b"(k_hole)
                     : "memory", "rcx", "rdx");
        break;
    case 4:
        asm volatile("out %%al, %%dx" : : "a"(0), "d"(0x500));
        break;
    case 5:
        asm volatile("mov %%cr3, %%rax" : : : "rax");
        break;
    case 6:
        asm volatile("wrmsr" : : "a"(0), "c"(0xc0000082), "d"(0));
        break;
    case 7:
        asm volatile("lidt (%0)" : : "r"(g_page));
        break;
    default:
        return k_usage;
    }
    return k_hole;
}

/// Compatibility mode: the same bytes as 32-bit code, where int 0x80 is the host's i386 exit.
int compat(uint64_t by_iret) {
    uint64_t const stack = reinterpret_cast<uint64_t>(g_page) + sizeof g_page - 64;
    if (by_iret != 0)
        asm volatile(
            "push $0x2b\n\tpush %0\n\tpush $0x202\n\tpush $0x23\n\tlea 1f(%%rip), %%rax\n\t"
            "push %%rax\n\tiretq\n1:\t"
            ".byte 0xb8, 1, 0, 0, 0\n\t"  // mov $1, %eax
            ".byte 0xbb, 99, 0, 0, 0\n\t" // mov $99, %ebx
            "int $0x80\n\tud2"
            :
            : "r"(stack)
            : "rax", "rbx", "memory");
    else
        asm volatile("push $0x23\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:\t"
                     ".byte 0xb8, 1, 0, 0, 0\n\t.byte 0xbb, 99, 0, 0, 0\n\tint $0x80\n\tud2"
                     :
                     :
                     : "rax", "rbx", "memory");
    return k_hole;
}

/// Numbers that only the guest kernel answers, and answers with ENOSYS.
int refused(uint64_t number) {
    return call(static_cast<long>(number), 0, 0, 0) == k_enosys ? k_held : k_hole;
}

/// uprobe (336): recent host kernels serve it before any filter, with an error and nothing else.
int unfiltered(uint64_t number) {
    constexpr long k_enxio = -6;
    long const result = call(static_cast<long>(number));
    return result == k_enosys || result == k_enxio ? k_held : k_hole;
}

int gate_wakes(uint64_t) {
    long const woken = call_gate(202, static_cast<long>(pv::k_event_va), 1 /* FUTEX_WAKE */, 1, 0);
    return woken >= 0 && call(getpid) > 0 ? k_held : k_hole;
}

/// Any other system call at the gate, with descriptors and addresses that would do harm.
int gate_call(uint64_t number) {
    call_gate(static_cast<long>(number), number == 257 ? -100 : 3, address(g_page), 4096, 1);
    return k_hole;
}

/// Another futex operation: only waiting and waking are in the filter.
int gate_futex(uint64_t operation) {
    call_gate(202, address(g_page), static_cast<long>(operation), 0, 0);
    return k_hole;
}

/// The n-th system call instruction of the stub with the arguments of an mmap that shows all RAM.
int mapper_mmap(uint64_t n) {
    uint64_t const at = syscall_in_stub(static_cast<unsigned>(n));
    if (at == 0 || at == gate()) return k_held;
    jump(at, 9, 0x100000000, 4096, 3);
}

int mapper_execve(uint64_t n) {
    uint64_t const at = syscall_in_stub(static_cast<unsigned>(n));
    if (at == 0 || at == gate()) return k_held;
    jump(at, 59, address("/bin/sh"), 0, 0);
}

char const* g_canary = "";

/// Anywhere into the stub, with registers that create the canary file if this becomes a system
/// call.
int jump_into_stub(uint64_t offset) {
    jump(pv::k_stub_base + offset, 2 /* open */, address(g_canary), 0x41 /* O_CREAT|O_WRONLY */,
         0644);
}

/// Garbage in the event page; the next trap overwrites it or the guest kernel lives with it.
int forge_page(uint64_t which) {
    uint64_t const values[] = {
        0, 1, k_garbage, ~uint64_t{0}, 0x600000001000, pv::k_command_va, 1U << 31U};
    for (uint64_t const value : values) {
        auto const word = static_cast<uint32_t>(value);
        switch (which) {
        case 0:
            event().frame = value;
            break;
        case 1:
            event().info = value;
            break;
        case 2:
            event().signal = word;
            break;
        case 3:
            event().event_seq = word;
            break;
        case 4:
            event().go = word;
            break;
        case 5:
            event().fs_base = value;
            event().gs_base = value;
            break;
        case 6:
            event().tick = word;
            break;
        case 7:
            event().mapper_ready = word;
            break;
        case 8:
            event().map_error = word;
            break;
        case 9:
            for (uint64_t at = pv::k_event_va; at < pv::k_event_va + pv::k_page; at += 8)
                *reinterpret_cast<uint64_t volatile*>(at) = value;
            break;
        case 10:
            for (uint64_t at = pv::k_signal_stack_va;
                 at < pv::k_signal_stack_va + pv::k_signal_stack_bytes; at += 8)
                *reinterpret_cast<uint64_t volatile*>(at) = value;
            break;
        default:
            return k_usage;
        }
        (void)call(getpid);
    }
    return k_held;
}

/// Announces events that never happened, without waiting for an answer, while going on.
int forge_event(uint64_t which) {
    uint64_t const values[] = {0,
                               k_garbage,
                               ~uint64_t{0},
                               0x600000001000,
                               pv::k_event_va,
                               pv::k_slots_base + pv::k_slot_bytes - 8};
    for (unsigned round = 0; round < 200; ++round) {
        uint64_t const value = values[round % (sizeof values / sizeof *values)];
        event().frame = value;
        event().info = value;
        event().signal = which == 0 ? 31 : which == 1 ? 14 : round;
        event().event_seq = event().event_seq + 1;
        call_gate(202, static_cast<long>(pv::k_event_va), 1, 1 << 20, 0);
        for (unsigned i = 0; i < 1000; ++i)
            asm volatile("pause");
        if (which == 3) (void)call(getpid);
    }
    return k_held;
}

/// The host kernel has no room for a frame.
int no_signal_stack(uint64_t) {
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(pv::k_signal_stack_va + 64) : "memory");
    return k_hole;
}

/// Ticks that arrive while the stub runs are put off: here it runs for ever, asleep.
int sleep_in_stub(uint64_t) {
    for (;;)
        call_gate(202, address(g_page), 0 /* FUTEX_WAIT */, 0, 0);
}

/// And here awake: in the loop that spins for an answer.
int spin_in_stub(uint64_t) {
    auto const* const text = reinterpret_cast<unsigned char const*>(pv::k_stub_base);
    for (uint64_t i = 4096; i < 2 * 4096 - 4; ++i) // pause; jmp short, backwards
        if (text[i] == 0xf3 && text[i + 1] == 0x90 && text[i + 2] == 0xeb)
            for (;;)
                asm volatile("mov $-1, %%r12d\n\tmov $-1, %%r15d\n\tjmp *%[at]"
                             :
                             : [at] "a"(pv::k_stub_base + i), "b"(g_page + 1024)
                             : "r12", "r15", "memory");
    return k_usage;
}

/// The guest kernel's revocations must hold whatever U says: removes a mapping while claiming that
/// this process is dead, and looks whether the old page is still there.
int keep_page(uint64_t) {
    for (unsigned round = 0; round < 2000; ++round) {
        auto* const page = static_cast<unsigned char volatile*>(map_pages(4096));
        if (page == nullptr) return k_usage;
        *page = 42;
        for (uint64_t at = pv::k_event_va + 40; at < pv::k_event_va + 44;
             ++at) // where `dead` once was
            *reinterpret_cast<unsigned char volatile*>(at) = 1;
        if (call(munmap, reinterpret_cast<long>(page), 4096) != 0) return k_usage;
    }
    return k_held;
}

int close_all(uint64_t) {
    for (long fd = 0; fd < 64; ++fd)
        call(close, fd);
    auto* const memory = static_cast<unsigned char volatile*>(map_pages(1U << 20U));
    if (memory == nullptr) return k_hole;
    for (unsigned i = 0; i < 1U << 20U; i += 4096)
        memory[i] = 1; // the mapper still has what it needs
    return k_held;
}

struct Attempt {
    char const* name;
    int (*make)(uint64_t argument);
};
constexpr Attempt k_attempts[] = {
    {"read", read_at},
    {"write", write_at},
    {"call", call_at},
    {"instruction", instruction},
    {"compat", compat},
    {"refused", refused},
    {"unfiltered", unfiltered},
    {"gate-wakes", gate_wakes},
    {"gate-call", gate_call},
    {"gate-futex", gate_futex},
    {"mapper-mmap", mapper_mmap},
    {"mapper-execve", mapper_execve},
    {"jump", jump_into_stub},
    {"forge-page", forge_page},
    {"forge-event", forge_event},
    {"no-signal-stack", no_signal_stack},
    {"sleep-in-stub", sleep_in_stub},
    {"spin-in-stub", spin_in_stub},
    {"keep-page", keep_page},
    {"close-all", close_all},
};

int attack(char const* const* stack) {
    if (reinterpret_cast<uintptr_t>(stack[0]) < 3) return k_usage;
    if (reinterpret_cast<uintptr_t>(stack[0]) > 3) g_canary = stack[4];
    for (Attempt const& attempt : k_attempts)
        if (equal(stack[2], attempt.name)) return attempt.make(parse(stack[3]));
    return k_usage;
}

} // namespace

extern "C" [[noreturn]] void iso_entry(char const* const* stack) {
    exit_with(attack(stack));
}
