// A hostile guest kernel for paravirt-demo: what code with the guest kernel's rights can try
// against its hypervisor and the host. The program's arguments name one attempt and its number.
// Ends with k_held when the attempt came back refused, and with k_hole when it worked.
#include "tests/security/paravirt/hostile_kernel.hpp"

#include "tests/security/paravirt/user_threads.hpp"

#include <initializer_list>

namespace {

using namespace iso::pv;
using namespace iso::pv::hostile;

// ---- Attempts
// ---------------------------------------------------------------------------------------

u64 system_call(u64 which) {
    switch (which) {
    case 0:
        raw(2, canary(), 0x41, 0644);
        break;
    case 1:
        raw(59, canary());
        break;
    case 2:
        raw(231, k_hole);
        break;
    case 3:
        asm volatile("int $0x80" : : "a"(1), "b"(k_hole) : "memory");
        break;
    case 4:
        asm volatile("mov %%rsp, %%rbp\n\tsysenter"
                     :
                     : "a"(1), "b"(k_hole)
                     : "rcx", "rdx", "memory");
        break;
    case 5:
        raw(0x4000'0000U | 39U);
        break;
    case 6:
        reinterpret_cast<void (*)()>(0xffff'ffff'ff60'0000)();
        break;
    case 7:
        raw(335);
        break; // uretprobe and uprobe: served before any filter, and end in a signal
    case 8:
        return raw(336) < 0 ? k_held : k_hole; // an error, and nothing else
    case 9:
        asm volatile("push $0x23\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:\tint $0x80"
                     :
                     :
                     : "rax", "memory");
        break;
    default:
        return k_usage;
    }
    return k_hole;
}

u64 gate_call(u64 number) {
    at_gate(number, number == 257 ? ~u64{99} : 0, canary(), 0x41, 0644);
    return k_hole;
}

u64 gate_descriptor(u64 which) {
    if (which < 16)
        at_gate(0, which, ISO_KERNEL_BASE + 0x500000, 8); // read
    else
        at_gate(1, which - 16, ISO_KERNEL_BASE + 0x500000, 8); // write
    return k_hole;
}

u64 write_at(u64 address) {
    auto volatile& byte = at<unsigned char>(address);
    byte = byte;
    return k_hole;
}

/// Hypercall `which / 8` with the wild word `which % 8` in every argument.
u64 wild_hypercall(u64 which) {
    u64 const number = which / k_wild_count;
    u64 const word = k_wild[which % k_wild_count];
    (void)hypercall(number, word, word, word, word, word);
    return k_held;
}

u64 unknown_hypercalls(u64) {
    u64 const known =
        1ULL << ISO_HC_SET_TRAP_TABLE | 1ULL << ISO_HC_MMU_UPDATE | 1ULL << ISO_HC_STACK_SWITCH |
        1ULL << ISO_HC_MULTICALL | 1ULL << ISO_HC_UPDATE_VA_MAPPING | 1ULL << ISO_HC_SET_TIMER_OP |
        1ULL << ISO_HC_XEN_VERSION | 1ULL << ISO_HC_IRET | 1ULL << ISO_HC_MMUEXT_OP |
        1ULL << ISO_HC_SCHED_OP | 1ULL << ISO_HC_CALLBACK_OP | 1ULL << ISO_HC_DOORBELL |
        1ULL << ISO_HC_FPU_TASKSWITCH | 1ULL << ISO_HC_EVENT_CHANNEL_OP | 1ULL << ISO_HC_BLOCK_OP;
    for (u64 number = 0; number < ISO_HYPERCALL_COUNT; ++number)
        if ((known >> number & 1) == 0 && hypercall(number, ~u64{0}, 1, 2, 3, 4) != k_enosys)
            return k_hole;
    for (u64 operation : {u64{0}, u64{6}, u64{0x47}, ~u64{0}})
        if (hypercall(ISO_HC_MMUEXT_OP, operation, ~u64{0}) != k_enosys) return k_hole;
    return hypercall(ISO_HC_SCHED_OP, 99) == k_enosys ? k_held : k_hole;
}

/// One mapping that the address space's mapper must not make; then its process must be dead.
u64 wild_mapping(u64 which) {
    constexpr u64 k_rwx = 7;
    iso_mmu_update const wild[] = {
        {k_stub_base, 0x500000 | k_rwx, 1},              // over the stub
        {k_event_va, 0x500000 | k_rwx, 1},               // over the slot
        {ISO_KERNEL_BASE, 0x500000 | k_rwx, 1},          // the guest kernel's half
        {0x5fff'ffff'f000, 0x500000 | k_rwx, 1U << 20U}, // 4 GiB: longer than a mapping may be
        {u64{1} << 63U, 0x500000 | k_rwx, 1},            // not canonical
        {~u64{0xfff}, 0x500000 | k_rwx, 2},              // wraps
        {0x10000, 0xf'ffff'ffff'f000 | k_rwx, 1},        // a frame beyond everything
        {0x10000, 0x500000 | k_rwx, u64{1} << 52U},      // pages that overflow
        {k_stub_base, 0, 1},                             // unmaps the stub
        {k_event_va, 0, 16},                             // and the slot
        {0, 0, ~u64{0}},
    };
    constexpr u64 k_count = sizeof wild / sizeof wild[0];
    bool const protect = which >= k_count; // or whose rights it must not change
    which -= protect ? k_count : 0;
    if (which >= k_count) return k_usage;
    u64 const space = new_space();
    (void)hypercall(ISO_HC_MMU_UPDATE, reinterpret_cast<u64>(&wild[which]), 1,
                    ISO_MMU_FLUSH | (protect ? ISO_MMU_PROTECT : 0), space);
    return k_held;
}

u64 many_updates(u64 which) {
    u64 const space = new_space();
    u64 const counts[] = {u64{1} << 63U, ~u64{0}, u64{1} << 32U};
    (void)hypercall(ISO_HC_MMU_UPDATE, which < 3 ? ISO_KERNEL_BASE + ISO_FREE_GPA : 0,
                    counts[which % 3], 1, space);
    return k_held;
}

/// Asks for far more address spaces than there may be, frees what is not there, and starts over.
u64 many_spaces(u64) {
    u64 made = 0;
    for (unsigned i = 0; i < 10'000; ++i) {
        i64 const got = static_cast<i64>(new_space());
        if (got >= 0)
            ++made;
        else if (got != k_eagain)
            return k_hole;
    }
    if (made == 0 || made > k_max_slots) return k_hole;
    for (u64 const wild : {u64{256}, u64{1} << 32U, ~u64{0}, u64{1} << 63U}) {
        if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, wild) >= 0) return k_hole;
        if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, wild) >= 0) return k_hole;
    }
    for (u64 slot = 0; slot < made; ++slot)
        if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, slot) != 0) return k_hole;
    if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, 0) >= 0) return k_hole; // twice
    return static_cast<i64>(new_space()) >= 0 ? k_held : k_hole;
}

/// Makes, uses and frees address spaces, `rounds` times, two at a time as a fork does.
u64 churn(u64 rounds) {
    for (u64 i = 0; i < rounds; ++i) {
        u64 const parent = new_space(), child = new_space();
        for (u64 const space : {parent, child}) {
            iso_mmu_update const pages = {0x10000, 0x500000 | 7, 16};
            if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, space) != 0) return k_hole;
            if (hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_RESET) != 0) return k_hole; // it is there
            hypercall(ISO_HC_MMU_UPDATE, reinterpret_cast<u64>(&pages), 1, 0, space);
        }
        for (u64 const space : {parent, child})
            if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, space) != 0) return k_hole;
    }
    return k_held;
}

u64 wild_requests(u64) {
    for (u32 number = 0; number < 0x200; ++number) {
        if (number == ISO_HC_DOORBELL || number == ISO_HC_SCHED_OP || number == ISO_HC_XEN_VERSION)
            continue;
        if (number == k_request_crash) continue; // the way in which a kernel says that it crashed
        for (u64 const word : {u64{3}, u64{1} << 63U, ~u64{0}})
            (void)ask(number, word, word);
    }
    for (u32 const number : {0x7fff'ffffU, 0x8000'0000U, ~0U})
        if (ask(number, ~u64{0}) != k_enosys) return k_hole;
    return k_held;
}

u64 wild_doorbell(u64 which) {
    auto volatile& bell = physical<iso_doorbell>(ISO_DOORBELL_GPA);
    u64 const word = k_wild[which % k_wild_count];
    u32 const operation = static_cast<u32>(which / k_wild_count);
    bell.range_count = which % 3 == 0 ? ~0U : ISO_DOORBELL_RANGES;
    for (auto volatile& argument : bell.argument)
        argument = word;
    for (auto volatile& range : bell.ranges) {
        range.gpa = word;
        range.bytes = word;
    }
    (void)ring(operation);
    return k_held;
}

/// Every word of the control page, and of the shared page, in turn and all together.
u64 forge_control(u64 which) {
    u64 const word = k_wild[which % k_wild_count];
    for (u64 offset = 0; offset < 2 * k_page; offset += 8) {
        if (offset == offsetof(Control, request_seq)) continue; // or the end could not be told
        if (offset == offsetof(Control, answer_seq)) continue;
        at<u64>(k_control_base + offset) = word;
    }
    for (unsigned i = 0; i < 100; ++i)
        (void)hypercall(ISO_HC_XEN_VERSION);
    return k_held;
}

/// Answers that the monitor did not give, and requests that are none.
u64 forge_answer(u64 which) {
    for (u32 i = 0; i < 1000; ++i) {
        if (which == 0)
            control().answer_seq = control().request_seq + 1;
        else
            control().request_seq = i * 0x1000'0001U;
        u64 const many = ~u64{0} - 1;
        at_gate(1, k_bell_fd, reinterpret_cast<u64>(&many), 8);
    }
    control().answer_seq = control().request_seq;
    return k_held;
}

/// Which slot the running flag names is K's word.
u64 forge_running(u64 word) {
    control().running = static_cast<u32>(word);
    for (unsigned i = 0; i < 300; ++i) {
        (void)new_space();
        control().running = static_cast<u32>(word == 0 ? i + 2 : word);
    }
    return k_held;
}

/// A command that no mapper may make, put into its ring directly.
u64 mapper_command(u64 which) {
    u64 const slot = new_space();
    while (events(slot).event_seq == 0)
        (void)hypercall(ISO_HC_XEN_VERSION);
    u64 const text = 0x10000;
    switch (which) {
    case 0:
        command(slot, 257, ~u64{99}, text, 0x41, 0644, 0, 0);
        break; // openat
    case 1:
        command(slot, 9, text, 4096, 7, 0x11, 5, 0);
        break; // mmap of another file
    case 2:
        command(slot, 9, text, 4096, 7, 0x32, ~u64{0}, 0);
        break; // anonymous
    case 3:
        command(slot, 9, k_stub_base + 0x1000, 4096, 7, 0x11, 3, 0);
        break; // over the stub
    case 4:
        command(slot, 9, text, u64{1} << 47U, 7, 0x11, 3, 0);
        break; // long
    case 5:
        command(slot, 9, text, 4096, 7, 0x11, 3, u64{1} << 32U);
        break; // far in the file
    case 6:
        command(slot, 10, k_stub_base + 0x1000, 4096, 7, 0, 0, 0);
        break; // mprotect
    case 7:
        command(slot, 11, k_stub_base, 4096, 0, 0, 0, 0);
        break; // munmap
    case 8:
        command(slot, 59, text, 0, 0, 0, 0, 0);
        break; // execve
    case 9:
        command(slot, 1, 3, text, 8, 0, 0, 0);
        break; // write to RAM's file
    case 10:
        command(slot, 0, 5, text, 8, 0, 0, 0);
        break; // read
    case 11:
        command(slot, 56, 0, 0, 0, 0, 0, 0);
        break; // clone
    case 12:
        command(slot, 202, text, 11, 0, 0, 0, 0);
        break; // futex, another operation
    case 13:
        command(slot, 62, 1, 9, 0, 0, 0, 0);
        break; // kill
    case 14:
        command(slot, 15, 0, 0, 0, 0, 0, 0);
        break; // rt_sigreturn
    case 15:
        command(slot, 39 | 0x4000'0000, 0, 0, 0, 0, 0, 0);
        break; // x32
    default:
        return k_usage;
    }
    return dies(slot) ? k_held : k_hole;
}

/// Fills the counter behind the acknowledgements, so that whoever writes to it next has to wait,
/// and lets an address space die that K seems to wait for: the monitor must not be the one that
/// waits.
u64 full_acknowledgement(u64) {
    u64 const slot = new_space();
    while (events(slot).event_seq == 0)
        (void)hypercall(ISO_HC_XEN_VERSION);
    at<u64>(k_slots_base + slot * k_slot_bytes + 3 * k_page) = ~u64{0} - 1;
    control().awaits_ack = static_cast<u32>(slot) + 1;
    command(slot, 1, k_ack_fd, k_slots_base + 3 * k_page, 8, 0, 0, 0);
    command(slot, 257, 0, 0, 0, 0, 0, 0);
    return dies(slot) && hypercall(ISO_HC_XEN_VERSION) == ISO_HYPERCALL_VERSION ? k_held : k_hole;
}

u64 wedge(u64 which) {
    u32 zero = 0;
    switch (which) {
    case 0:
        for (;;)
            asm volatile("pause");
    case 1:
        for (;;)
            at_gate(202, reinterpret_cast<u64>(&zero), 0, 0, 0); // sleeps
    case 2:
        for (;;)
            (void)hypercall(ISO_HC_XEN_VERSION); // keeps the monitor busy
    case 3:
        for (;;)
            at_gate(0, k_ack_fd, ISO_KERNEL_BASE + 0x500000, 8);
    case 4:
        for (;;)
            (void)hypercall(ISO_HC_SCHED_OP, ISO_SCHED_BLOCK);
    case 5:
        for (;;) { // asks to be told in the past, for ever
            hypercall(ISO_HC_SET_TIMER_OP, 1);
            (void)new_space();
        }
    default:
        return k_usage;
    }
}

u64 quiet_end(u64) {
    (void)hypercall(ISO_HC_SCHED_OP, ISO_SCHED_SHUTDOWN);
    return k_hole;
}

/// Enters user mode with a frame from anywhere.
u64 wild_iret(u64 which) {
    u64 const space = new_space();
    (void)hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, space);
    iso_pv_frame frame{};
    frame.rip = k_wild[which % k_wild_count];
    frame.rsp = k_wild[which % k_wild_count];
    frame.rflags = ~u64{0};
    (void)hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_SET_FS_BASE, k_wild[which % k_wild_count]);
    (void)hypercall(ISO_HC_IRET, reinterpret_cast<u64>(&frame));
    return k_hole;
}

struct Attempt {
    char const* name;
    u64 (*make)(u64);
};

bool equal(char const* a, char const* b) {
    for (; *a != '\0' && *a == *b; ++a)
        ++b;
    return *a == *b;
}

u64 run(char const* name, u64 argument) {
    Attempt const attempts[] = {
        {"system-call", system_call},
        {"gate-call", gate_call},
        {"gate-descriptor", gate_descriptor},
        {"write", write_at},
        {"hypercall", wild_hypercall},
        {"unknown", unknown_hypercalls},
        {"mapping", wild_mapping},
        {"many-updates", many_updates},
        {"many-spaces", many_spaces},
        {"churn", churn},
        {"requests", wild_requests},
        {"doorbell", wild_doorbell},
        {"control", forge_control},
        {"answer", forge_answer},
        {"running", forge_running},
        {"mapper", mapper_command},
        {"full-ack", full_acknowledgement},
        {"wedge", wedge},
        {"quiet-end", quiet_end},
        {"iret", wild_iret},
        {"threads", thread_registers},
        {"registers", wild_registers},
        {"frames", wild_frames},
        {"rights", rights},
        {"ring", full_ring},
        {"timers", timers},
    };
    for (Attempt const& attempt : attempts)
        if (equal(name, attempt.name)) return attempt.make(argument);
    return k_usage;
}

char const* next(char const* text) {
    while (*text != '\0')
        ++text;
    return text + 1;
}

u64 parse(char const* text) {
    u64 value = 0;
    bool const hex = text[0] == '0' && text[1] == 'x';
    for (text += hex ? 2 : 0; *text != '\0'; ++text)
        value = value * (hex ? 16 : 10) +
                static_cast<u64>(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

} // namespace

extern "C" [[noreturn]] void iso_kernel_main(iso_boot_info const* boot) {
    if (boot->argument_count < 4) end_with(k_usage);
    char const* const name = next(reinterpret_cast<char const*>(ISO_KERNEL_BASE + boot->arguments));
    char const* const argument = next(name);
    g_canary = next(argument);
    end_with(run(name, parse(argument)));
}
