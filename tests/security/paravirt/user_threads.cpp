#include "tests/security/paravirt/user_threads.hpp"

#include "guest/port/pv/hypercall.hpp"
#include "tests/security/paravirt/hostile_kernel.hpp"

#include <initializer_list>

namespace iso::pv::hostile {

// ---- User code, as bytes that are copied into the domain's memory
// ------------------------------------------------------------------

#pragma GCC visibility push(hidden) // found directly: there is no global offset table here
extern "C" {
extern unsigned char const user_code[], user_code_end[], user_spin[], user_write[];
void run_until_event(iso_pv_frame const* frame);
iso_pv_frame last_frame;
unsigned last_vector;
void trapped();
}
#pragma GCC visibility pop
asm(R"(
        .text
user_code:                              # loads from rdi, traps, stores to rsi, traps
        movdqu  (%rdi), %xmm5
        fldl    (%rdi)
        mov     16(%rdi), %rax
        wrfsbase %rax
        syscall
        movdqu  %xmm5, (%rsi)
        rdfsbase %rax
        mov     %rax, 16(%rsi)
        fstpl   24(%rsi)
        syscall
        ud2
user_spin:
        jmp     user_spin
user_write:                             # traps as often as it is let through
        mov     %rax, (%rdi)
        syscall
        jmp     user_write
user_code_end:

# void run_until_event(frame rdi): returns when user code traps; what it trapped with is in
# last_frame and last_vector.
        .globl  run_until_event
run_until_event:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, saved_stack(%rip)
        movabs  $0x7e00000012e0, %rax   # the hypercall page, number 23: iret
        call    *%rax
        ud2
trapped:                                # rdi the frame, esi the vector, on the kernel stack
        mov     %esi, last_vector(%rip)
        mov     %rdi, %rsi
        lea     last_frame(%rip), %rdi
        mov     $21, %ecx
        rep movsq
        mov     saved_stack(%rip), %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
        .bss
        .balign 8
saved_stack: .quad 0
        .text
)");

namespace {

static_assert(ISO_HYPERCALL_PAGE + ISO_HC_IRET * ISO_HYPERCALL_STRIDE == 0x7e00000012e0);
static_assert(sizeof(iso_pv_frame) == 21 * 8);

constexpr u64 k_code_gpa = 0x500000, k_data_gpa = 0x501000;
constexpr u64 k_code_va = 0x10000, k_data_va = 0x11000;
constexpr u64 k_rx = 5, k_rw = u64{1} << 63U | 7, k_ro = u64{1} << 63U | 5;

alignas(4096) unsigned char g_stack[8192];
constexpr u64 k_state_bytes = 16 * 1024; // more than any processor needs
alignas(64) unsigned char g_state[2][k_state_bytes];

void update(u64 space, u64 va, u64 pte, u64 pages, u64 flags) {
    iso_mmu_update const one = {va, pte, pages};
    hypercall(ISO_HC_MMU_UPDATE, reinterpret_cast<u64>(&one), 1, flags, space);
}

/// A space with the code and one page of data.
u64 user_space() {
    u64 const space = new_space();
    update(space, k_code_va, k_code_gpa | k_rx, 1, 0);
    update(space, k_data_va, k_data_gpa | k_rw, 1, 0);
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, space);
    return space;
}

void prepare() {
    for (u64 i = 0; user_code + i != user_code_end; ++i)
        physical<unsigned char>(k_code_gpa + i) = user_code[i];
    static iso_trap_info table[33];
    for (uint8_t vector = 0; vector < 32; ++vector)
        table[vector] = {vector, 0, 0, 0, reinterpret_cast<u64>(&trapped)};
    hypercall(ISO_HC_SET_TRAP_TABLE, reinterpret_cast<u64>(table));
    hypercall(ISO_HC_CALLBACK_OP, ISO_CALLBACK_SYSCALL, reinterpret_cast<u64>(&trapped));
    hypercall(ISO_HC_CALLBACK_OP, ISO_CALLBACK_EVENT, reinterpret_cast<u64>(&trapped));
    hypercall(ISO_HC_STACK_SWITCH, reinterpret_cast<u64>(g_stack + sizeof g_stack));
}

iso_pv_frame start_at(unsigned char const* code, u64 data = k_data_va) {
    iso_pv_frame frame{};
    frame.rip = k_code_va + static_cast<u64>(code - user_code);
    frame.rdi = data;
    frame.rsi = data + 64;
    frame.rsp = k_data_va + 4096 - 64;
    frame.rflags = 0x202;
    return frame;
}

i64 fpu(u64 operation, void* memory = nullptr) {
    return hypercall(ISO_HC_FPU_TASKSWITCH, operation, reinterpret_cast<u64>(memory));
}

constexpr unsigned k_call = 32, k_tick = 33;

void take_tick() {
    guest::pv::shared_info().upcall_pending = 0;
    guest::pv::shared_info().pending[0] = 0;
}

/// Ticks (of --tick) interrupt and change nothing.
void run_until_trap(iso_pv_frame const* frame) {
    run_until_event(frame);
    while (last_vector == k_tick) {
        take_tick();
        iso_pv_frame const interrupted = last_frame;
        run_until_event(&interrupted);
    }
}

bool trapped_by(unsigned vector) {
    return last_vector == vector;
}

/// Fills what a thread loads: 16 bytes for xmm5, of which the first 8 are a number for the x87
/// stack, then an FS base.
void put_pattern(u64 at, u64 seed) {
    physical<u64>(k_data_gpa + at) = 0x3ff0'0000'0000'0000 + seed; // a double near 1
    physical<u64>(k_data_gpa + at + 8) = ~seed;
    physical<u64>(k_data_gpa + at + 16) = 0x7000'0000 + seed * 4096;
    for (u64 i = 0; i < 32; i += 8)
        physical<u64>(k_data_gpa + at + 64 + i) = 0;
}
bool pattern_is_back(u64 at) {
    for (u64 i = 0; i < 24; i += 8)
        if (physical<u64>(k_data_gpa + at + 64 + i) != physical<u64>(k_data_gpa + at + i))
            return false;
    return physical<u64>(k_data_gpa + at + 64 + 24) == physical<u64>(k_data_gpa + at);
}

} // namespace

/// Two threads that share a space keep their registers; a fresh space takes a thread's over.
u64 thread_registers(u64) {
    prepare();
    if (fpu(ISO_FPU_BYTES) < 576 + 16 || fpu(ISO_FPU_BYTES) > static_cast<i64>(k_state_bytes))
        return k_usage;
    (void)user_space();
    iso_pv_frame threads[2];
    for (u64 i = 0; i < 2; ++i) {
        put_pattern(i * 256, 41 + i);
        fpu(ISO_FPU_RESET);
        threads[i] = start_at(user_code, k_data_va + i * 256);
        run_until_trap(&threads[i]);
        if (!trapped_by(k_call)) return k_hole;
        threads[i] = last_frame;
        fpu(ISO_FPU_SAVE, g_state[i]);
    }
    for (u64 i = 0; i < 2; ++i) {
        fpu(ISO_FPU_RESTORE, g_state[i]);
        run_until_trap(&threads[i]);
        if (!trapped_by(k_call) || !pattern_is_back(i * 256)) return k_hole;
    }
    (void)user_space();
    for (u64 i = 0; i < 2; ++i) {
        put_pattern(i * 256, 41 + i);
        fpu(ISO_FPU_RESTORE, g_state[i]); // before it ran anything
        run_until_trap(&threads[i]);
        if (!trapped_by(k_call) || !pattern_is_back(i * 256)) return k_hole;
    }
    return k_held;
}

/// What a program may have put where its registers are restored from.
u64 wild_registers(u64 which) {
    prepare();
    (void)user_space();
    put_pattern(0, 7);
    fpu(ISO_FPU_RESET);
    iso_pv_frame const start = start_at(user_code);
    run_until_trap(&start);
    iso_pv_frame const there = last_frame;
    fpu(ISO_FPU_SAVE, g_state[0]);
    auto* const words = reinterpret_cast<u64*>(g_state[0]);
    u64 const header = 512 / 8;
    auto const bytes = static_cast<u64>(fpu(ISO_FPU_BYTES));
    switch (which % 8) {
    case 0:
        words[3] = ~u64{0}; // MXCSR and its mask
        break;
    case 1:
        words[header] = ~u64{0}; // components that no processor has
        break;
    case 2:
        words[header + 2] = 1; // reserved
        break;
    case 3:
        words[header + 7] = ~u64{0};
        break;
    case 4:
        words[header + 1] = u64{1} << 63U; // the other format
        break;
    case 5:
        for (u64 i = 0; i < bytes / 8; ++i)
            words[i] = ~u64{0};
        break;
    case 6:
        for (u64 i = 0; i < bytes / 8; ++i)
            words[i] = i * 0x9e37'79b9'7f4a'7c15;
        break;
    case 7: // the bases: whatever they are, U must be able to load them
        words[bytes / 8 - 2] = u64{1} << 63U;
        words[bytes / 8 - 1] = 0x8000'0000'0000;
        break;
    }
    bool const made_safe = which < 8;
    if (made_safe && fpu(ISO_FPU_SANITIZE, g_state[0]) != 0) return k_held;
    fpu(ISO_FPU_RESTORE, g_state[0]);
    run_until_trap(&there);
    if (trapped_by(k_call)) return k_held;
    if (made_safe || last_vector > 19) return k_hole;
    // It faulted: in U, as its own fault, once. With good registers the same space goes on.
    fpu(ISO_FPU_RESET);
    run_until_trap(&start);
    return trapped_by(k_call) ? k_held : k_hole;
}

/// U says where its frame is and where the registers in it are: both are its word, and whatever it
/// says, K reads and writes in U's signal stack and nowhere else.
u64 wild_frames(u64 which) {
    constexpr u64 k_fpstate = 0xe0; // in ucontext
    constexpr u64 k_stack_end = k_signal_stack_va + k_signal_stack_bytes;
    u64 const places[] = {0,
                          1,
                          ~u64{0},
                          u64{1} << 63U,
                          ISO_KERNEL_BASE + ISO_KERNEL_GPA,
                          k_control_base,
                          k_command_va,
                          k_event_va,
                          k_signal_stack_va,
                          k_stack_end - 64,
                          k_stack_end - 1,
                          k_stack_end,
                          k_slots_base + 2 * k_slot_bytes};
    u64 const place = places[which / 2 % (sizeof places / sizeof places[0])];
    prepare();
    u64 const neighbour = user_space();
    fpu(ISO_FPU_RESET); // it is there
    u64 const space = user_space();
    put_pattern(0, 7);
    iso_pv_frame const start = start_at(user_code);
    run_until_trap(&start);
    iso_pv_frame const there = last_frame;
    u64 const frame = events(space).frame - k_slots_base + k_slots_base + space * k_slot_bytes;
    u64 const commands_before = commands(neighbour).fs_base + commands(neighbour).tail;
    u64 const kernel_before = at<u64>(ISO_KERNEL_BASE + ISO_KERNEL_GPA);
    u64 const ram_before = physical<u64>(k_code_gpa);
    if (which % 2 == 0)
        at<u64>(frame + k_fpstate) = place;
    else
        events(space).frame = place;
    for (unsigned i = 0; i < 64; ++i)
        g_state[1][i] = 0xa5;
    fpu(ISO_FPU_SAVE, g_state[0]);
    fpu(ISO_FPU_RESTORE, g_state[1]);
    fpu(ISO_FPU_RESET);
    if (commands(neighbour).fs_base + commands(neighbour).tail != commands_before ||
        at<u64>(ISO_KERNEL_BASE + ISO_KERNEL_GPA) != kernel_before ||
        physical<u64>(k_code_gpa) != ram_before)
        return k_hole;
    run_until_trap(&there); // it goes on or falls, and K hears of it
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, neighbour);
    run_until_trap(&start);
    return trapped_by(k_call) ? k_held : k_hole;
}

/// Rights of a run change and hold; a space that is forgotten has nothing left.
u64 rights(u64) {
    prepare();
    u64 const space = user_space();
    constexpr u64 k_pages = 5;
    for (u64 page = 0; page < k_pages; ++page) // frames that are no neighbours
        update(space, 0x20000 + page * 4096, (0x520000 - page * 4096) | k_rw, 1, 0);
    auto const write_to = [](u64 page) {
        iso_pv_frame const frame = start_at(user_write, 0x20000 + page * 4096);
        run_until_trap(&frame);
        return last_vector;
    };
    for (u64 page = 0; page < k_pages; ++page)
        if (write_to(page) != k_call) return k_hole;
    update(space, 0x20000 + 4096, k_ro, 3, ISO_MMU_PROTECT | ISO_MMU_FLUSH);
    for (u64 page = 0; page < k_pages; ++page)
        if (write_to(page) != (page >= 1 && page <= 3 ? 14 : k_call)) return k_hole;
    update(space, 0x20000, 0, k_pages, ISO_MMU_PROTECT);
    update(space, 0x20000 + 2 * 4096, k_rw, 1, ISO_MMU_PROTECT);
    for (u64 page = 0; page < k_pages; ++page)
        if (write_to(page) != (page == 2 ? k_call : 14)) return k_hole;
    if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FORGET_SPACE, space) != 0) return k_hole;
    if (write_to(2) != 14) return k_hole; // its code is gone, too
    update(space, k_code_va, k_code_gpa | k_rx, 1, 0);
    update(space, 0x20000, 0x520000 | k_rw, 1, 0);
    if (write_to(0) != k_call || write_to(1) != 14) return k_hole;
    for (u64 const wild : {u64{256}, space + 1, ~u64{0}})
        if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FORGET_SPACE, wild) >= 0) return k_hole;
    // What is not mapped has no rights: the host refuses, and the space is told.
    update(space, 0x40000, k_ro, 1, ISO_MMU_PROTECT);
    return write_to(0) == ISO_VECTOR_SPACE_DEAD ? k_held : k_hole;
}

/// Many more commands than the mapper's ring holds, none of which joins its neighbour; then the
/// same for a process that dies in the middle of it, and for one that nothing was ever mapped in.
u64 full_ring(u64) {
    prepare();
    u64 const space = user_space();
    auto const many = [](u64 of, u64 rights) {
        for (u64 i = 0; i < 300; ++i) {
            update(of, 0x100000 + i * 8192, (0x600000 + i * 4096) | k_rw, 1, 0);
            update(of, 0x100000 + i * 8192, rights, 1, ISO_MMU_PROTECT);
        }
    };
    many(space, k_ro);
    for (u64 const page : {0, 1, 31, 32, 33, 299}) {
        iso_pv_frame const frame = start_at(user_write, 0x100000 + page * 8192);
        run_until_trap(&frame);
        if (!trapped_by(14)) return k_hole;
    }
    update(space, k_stub_base, k_rw, 1, ISO_MMU_PROTECT); // its mapper's last
    many(space, k_rw);
    hypercall(ISO_HC_MMU_UPDATE, 0, 0, ISO_MMU_FLUSH, space);
    if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FORGET_SPACE, space) != 0 || !dies(space))
        return k_hole;
    for (u64 const operation : {ISO_FPU_SAVE, ISO_FPU_RESTORE, ISO_FPU_RESET})
        fpu(operation, g_state[0]);
    if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, space) != 0) return k_hole;
    u64 const unused = new_space();
    if (hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FORGET_SPACE, unused) != 0 ||
        hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, unused) != 0)
        return k_hole;
    (void)user_space();
    put_pattern(0, 3);
    iso_pv_frame const start = start_at(user_code);
    run_until_trap(&start);
    return trapped_by(k_call) ? k_held : k_hole;
}

/// Deadlines to come and past interrupt user code; those that never come do not, nor cancelled
/// ones.
u64 timers(u64) {
    prepare();
    (void)user_space();
    auto const* const boot =
        reinterpret_cast<iso_boot_info const*>(ISO_KERNEL_BASE + ISO_BOOT_INFO_GPA);
    iso_pv_frame spin = start_at(user_spin);
    u64 const deadlines[] = {1, boot->clock_ns, boot->clock_ns + 20'000'000};
    for (u64 const deadline : deadlines) {
        if (hypercall(ISO_HC_SET_TIMER_OP, deadline) != 0) return k_hole;
        run_until_event(&spin);
        if (!trapped_by(k_tick)) return k_hole;
        take_tick();
    }
    iso_pv_frame const writes = start_at(user_write);
    for (u64 const never : {~u64{0}, u64{1} << 63U, u64{0}})
        for (unsigned i = 0; i < 100; ++i) {
            (void)hypercall(ISO_HC_SET_TIMER_OP, never);
            run_until_trap(&writes);
            if (!trapped_by(k_call)) return k_hole;
        }
    return k_held;
}

} // namespace iso::pv::hostile
