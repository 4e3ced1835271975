#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

/// What every trap saves. System calls and exceptions save the registers that C++ code may change
/// and no more, because each store costs dearly where ring 0 is emulated.
struct TrapRegisters {
    u64 r9, r8, r10, rdx, rsi, rdi;
    u64 r11, rcx, rax; // of a system call: rax is its number, rcx and r11 are not saved
    u64 error;         // the exception's error code, or 0
    u64 rip, cs, rflags, rsp, ss;
};

/// The program's whole register file. The first six are saved only on the way to work that needs
/// them: signals, and a crash that is reported.
struct TrapFrame {
    u64 r15, r14, r13, r12, rbp, rbx;
    TrapRegisters trap;
};

inline constexpr u64 k_user_flags = 0x202; // interrupts on

/// Exception vectors (AMD64 APM volume 2, 8.2).
enum class Vector : u32 {
    divide = 0,
    debug = 1,
    nmi = 2,
    breakpoint = 3,
    overflow = 4,
    bound = 5,
    invalid_opcode = 6,
    no_device = 7,
    double_fault = 8,
    invalid_tss = 10,
    not_present = 11,
    stack = 12,
    protection = 13,
    page = 14,
    x87 = 16,
    alignment = 17,
    machine_check = 18,
    simd = 19,
};

} // namespace iso::guest

// Called by the port's entry code.
extern "C" {
/// An exception of the program other than a page fault.
void iso_user_exception(iso::guest::TrapRegisters* registers, iso::guest::Vector vector);
/// A page fault of the program at `address`.
void iso_user_page_fault(iso::guest::TrapRegisters* registers, iso::guest::u64 address);
/// Runs before returning to the program while iso_work_pending is set; may change the frame.
void iso_user_work(iso::guest::TrapFrame* frame);
/// The moment of port::set_timer() has passed. Runs with the program's registers saved, interrupts
/// off, before the kernel looks at iso_work_pending.
void iso_timer_tick();
/// The kernel itself faulted.
[[noreturn]] void iso_kernel_exception(iso::guest::TrapFrame* frame, iso::guest::Vector vector);
/// Nonzero when the return to the program must pass through iso_user_work().
extern iso::guest::u8 iso_work_pending;
}
