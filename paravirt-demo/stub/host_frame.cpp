#include "paravirt-demo/stub/host_frame.hpp"

#include "paravirt-demo/stub/host_signal.hpp"

#include <linux/audit.h>

namespace iso::pv {

namespace {

constexpr uint64_t k_flags_of_program = 0x0cd5; // CF PF AF ZF SF DF OF: arithmetic and direction
constexpr uint64_t k_flags_trap = 0x0100;       // TF: a program may single-step itself
constexpr uint64_t k_flags_always = 0x0202;     // IF and the bit that is always one

constexpr int k_code_seccomp = 1; // SYS_SECCOMP

/// U says where its frame is; anything outside of its signal stack is brought back into it.
uint64_t clamp(Space const& space, uint64_t address, uint64_t bytes, uint64_t alignment) {
    uint64_t const first = k_signal_stack_va;
    uint64_t const last = k_signal_stack_va + k_signal_stack_bytes - bytes;
    if (address < first || address > last) address = last;
    return space.base() + ((address & ~(alignment - 1)) - k_slots_base);
}

ucontext& context(Space& space) {
    uint64_t const address = __atomic_load_n(&space.event().frame, __ATOMIC_RELAXED);
    return *reinterpret_cast<ucontext*>(clamp(space, address, sizeof(ucontext), 8));
}

siginfo_t const& information(Space& space) {
    uint64_t const address = __atomic_load_n(&space.event().info, __ATOMIC_RELAXED);
    return *reinterpret_cast<siginfo_t const*>(clamp(space, address, sizeof(siginfo_t), 8));
}

} // namespace

void* fpu_of_frame(Space& space, uint64_t bytes) {
    auto const* const at = __atomic_load_n(&context(space).uc_mcontext.fpstate, __ATOMIC_RELAXED);
    return reinterpret_cast<void*>(clamp(space, reinterpret_cast<uint64_t>(at), bytes, 64));
}

void put_registers(Space& space, iso_pv_frame const& frame) {
    sigcontext& to = context(space).uc_mcontext;
    to.r15 = frame.r15;
    to.r14 = frame.r14;
    to.r13 = frame.r13;
    to.r12 = frame.r12;
    to.rbp = frame.rbp;
    to.rbx = frame.rbx;
    to.r9 = frame.r9;
    to.r8 = frame.r8;
    to.r10 = frame.r10;
    to.rdx = frame.rdx;
    to.rsi = frame.rsi;
    to.rdi = frame.rdi;
    to.r11 = frame.r11;
    to.rcx = frame.rcx;
    to.rax = frame.rax;
    to.rip = frame.rip;
    to.rsp = frame.rsp;
    to.eflags = (frame.rflags & (k_flags_of_program | k_flags_trap)) | k_flags_always;
}

unsigned take_registers(Space& space, iso_pv_frame& frame) {
    sigcontext const& from = context(space).uc_mcontext;
    frame.r15 = from.r15;
    frame.r14 = from.r14;
    frame.r13 = from.r13;
    frame.r12 = from.r12;
    frame.rbp = from.rbp;
    frame.rbx = from.rbx;
    frame.r9 = from.r9;
    frame.r8 = from.r8;
    frame.r10 = from.r10;
    frame.rdx = from.rdx;
    frame.rsi = from.rsi;
    frame.rdi = from.rdi;
    frame.r11 = from.r11;
    frame.rcx = from.rcx;
    frame.rax = from.rax;
    frame.error = from.err;
    frame.rip = from.rip;
    frame.cs = ISO_USER_CS_SELECTOR;
    frame.rflags = from.eflags;
    frame.rsp = from.rsp;
    frame.ss = ISO_USER_SS_SELECTOR;
    // A program may set these by itself (wrfsbase). A base that is no user address would fault in
    // the stub.
    constexpr uint64_t k_user_half = 0x7fff'ffff'ffff;
    space.command().fs_base = space.event().fs_base & k_user_half;
    space.command().gs_base = space.event().gs_base & k_user_half;

    switch (space.event().signal) {
    case 31: { // SIGSYS
        siginfo_t const& info = information(space);
        bool const call =
            info.si_code == k_code_seccomp && info._sifields._sigsys._arch == AUDIT_ARCH_X86_64;
        if (call) return k_event_syscall;
        frame.error =
            0x402; // int 0x80 and sysenter do not exist here: general protection, as int n
        return 13;
    }
    case 14:
        return k_event_tick; // SIGALRM
    case 4:
        return 6; // SIGILL: for a refused system call the host leaves trapno as an older trap set
                  // it
    default:
        break;
    }
    unsigned const vector = static_cast<unsigned>(from.trapno);
    if (vector == 14) shared_info().fault_address = from.cr2;
    return vector < k_event_syscall ? vector : 13;
}

} // namespace iso::pv
