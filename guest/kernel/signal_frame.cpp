// The frame that a signal handler runs on: Linux's rt_sigframe (arch/x86/include/asm/sigframe.h, by
// behaviour), which C libraries and debuggers know.
#include "guest/kernel/process.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

namespace iso::guest {

namespace {

struct SignalFrame {
    u64 return_to; // the restorer, which makes rt_sigreturn
    struct ucontext context;
    siginfo_t info;
};

constexpr u64 k_red_zone = 128; // System V ABI, AMD64 supplement, 3.2.2
constexpr u64 k_on_stack = 1;   // SS_ONSTACK
// CF PF AF ZF SF TF DF OF RF AC: what a program may have in its flags
constexpr u64 k_flags_of_program = 0x50dd5;

bool is_on(SignalStack const& stack, UserAddr pointer) {
    return stack.bytes != 0 && pointer > stack.address && pointer - stack.address <= stack.bytes;
}

void save_registers(sigcontext& to, TrapFrame const& from) {
    to.r8 = from.trap.r8;
    to.r9 = from.trap.r9;
    to.r10 = from.trap.r10;
    to.r11 = from.trap.r11;
    to.r12 = from.r12;
    to.r13 = from.r13;
    to.r14 = from.r14;
    to.r15 = from.r15;
    to.rdi = from.trap.rdi;
    to.rsi = from.trap.rsi;
    to.rbp = from.rbp;
    to.rbx = from.rbx;
    to.rdx = from.trap.rdx;
    to.rax = from.trap.rax;
    to.rcx = from.trap.rcx;
    to.rsp = from.trap.rsp;
    to.rip = from.trap.rip;
    to.eflags = from.trap.rflags;
    to.cs = ISO_USER_CS;
    to.ss = ISO_USER_DS;
    to.err = from.trap.error;
    to.cr2 = port::fault_address();
}

void restore_registers(TrapFrame& to, sigcontext const& from) {
    to.trap.r8 = from.r8;
    to.trap.r9 = from.r9;
    to.trap.r10 = from.r10;
    to.trap.r11 = from.r11;
    to.r12 = from.r12;
    to.r13 = from.r13;
    to.r14 = from.r14;
    to.r15 = from.r15;
    to.trap.rdi = from.rdi;
    to.trap.rsi = from.rsi;
    to.rbp = from.rbp;
    to.rbx = from.rbx;
    to.trap.rdx = from.rdx;
    to.trap.rax = from.rax;
    to.trap.rcx = from.rcx;
    to.trap.rsp = from.rsp;
    to.trap.rip = from.rip;
    to.trap.rflags = (from.eflags & k_flags_of_program) | k_user_flags;
    to.trap.cs = ISO_USER_CS;
    to.trap.ss = ISO_USER_DS;
}

void describe(siginfo_t& to, int signal, SignalInfo const& info) {
    to.si_signo = signal;
    to.si_code = info.code;
    constexpr u64 faults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) |
                           signal_bit(SIGTRAP) | signal_bit(SIGFPE);
    if ((signal_bit(signal) & faults) != 0 && info.code > 0) {
        to.si_addr = reinterpret_cast<void*>(info.value);
        return;
    }
    to.si_pid = static_cast<int>(info.pid);
    to.si_uid = info.uid;
    if (signal == SIGCHLD)
        to.si_status = info.status;
    else
        to.si_ptr = reinterpret_cast<void*>(info.value);
}

} // namespace

Result put_signal_info(UserAddr to, int signal, SignalInfo const& info) {
    siginfo_t told = {};
    describe(told, signal, info);
    return copy_out(to, &told, sizeof told);
}

bool push_signal_frame(TrapFrame& frame, int signal, SignalInfo const& info,
                       SignalAction const& action, u64 mask) {
    Thread& thread = this_thread();
    SignalStack const& other = thread.signals.stack;
    UserAddr top = frame.trap.rsp;
    bool const was_on_other = is_on(other, top);
    if ((action.flags & SA_ONSTACK) != 0 && other.flags == 0 && !was_on_other)
        top = other.address + other.bytes;
    else
        top -= k_red_zone;
    if (!thread.make_fpu_room()) return false;
    u64 const fpu_bytes = port::fpu_bytes();
    UserAddr const fpu = (top - fpu_bytes) & ~63ull;
    // As after a call: the return address lies 8 below a multiple of 16.
    UserAddr const place = ((fpu - sizeof(SignalFrame)) & ~15ull) - 8;
    if (place >= ISO_USER_HIGH) return false;

    static SignalFrame image; // too large for comfort on the stack
    image = {};
    image.return_to = action.restorer;
    image.context.uc_stack.ss_sp = reinterpret_cast<void*>(other.address);
    image.context.uc_stack.ss_flags =
        static_cast<int>(was_on_other ? k_on_stack : static_cast<u64>(other.flags));
    image.context.uc_stack.ss_size = other.bytes;
    image.context.uc_sigmask = mask;
    save_registers(image.context.uc_mcontext, frame);
    image.context.uc_mcontext.fpstate = reinterpret_cast<_fpstate*>(fpu);
    describe(image.info, signal, info);
    port::fpu_save(thread.fpu);
    if (copy_out(fpu, thread.fpu, fpu_bytes) != 0 || copy_out(place, &image, sizeof image) != 0)
        return false;

    frame.trap.rdi = static_cast<u64>(signal);
    frame.trap.rsi = place + __builtin_offsetof(SignalFrame, info);
    frame.trap.rdx = place + __builtin_offsetof(SignalFrame, context);
    frame.trap.rax = 0;
    frame.trap.rip = action.handler;
    frame.trap.rsp = place;
    frame.trap.rflags = k_user_flags;
    return true;
}

Result pop_signal_frame(TrapFrame& frame) {
    Thread& thread = this_thread();
    static SignalFrame image;
    UserAddr const place =
        frame.trap.rsp - sizeof image.return_to; // which the handler's return took
    bool good = copy_in(&image, place, sizeof image) == 0 && thread.make_fpu_room();
    if (auto const fpu = reinterpret_cast<UserAddr>(image.context.uc_mcontext.fpstate);
        good && fpu != 0) {
        good = copy_in(thread.fpu, fpu, port::fpu_bytes()) == 0 && port::fpu_sanitize(thread.fpu);
        if (good) port::fpu_restore(thread.fpu);
    }
    if (!good) {
        force_signal(SIGSEGV);
        return 0;
    }
    restore_registers(frame, image.context.uc_mcontext);
    thread.signals.blocked =
        image.context.uc_sigmask & ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
    SignalStack& stack = thread.signals.stack;
    if (!is_on(stack, frame.trap.rsp)) {
        stack.address = reinterpret_cast<u64>(image.context.uc_stack.ss_sp);
        stack.bytes = image.context.uc_stack.ss_size;
        stack.flags = image.context.uc_stack.ss_flags & 2; // SS_DISABLE
    }
    return static_cast<Result>(frame.trap.rax);
}

} // namespace iso::guest
