// What happens when the program traps, other than by a system call.
#include "guest/kernel/trap.hpp"

#include "guest/kernel/block_cache.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/kernel/syscall.hpp"

#include <asm/siginfo.h>
#include <asm/signal.h>

using namespace iso::guest;

iso::guest::u8 iso_work_pending = 0;

namespace {

// The signal that Linux sends for an exception (arch/x86/kernel/traps.c of Linux 6.1, by
// behaviour).
int signal_of(Vector vector) {
    switch (vector) {
    case Vector::divide:
    case Vector::x87:
    case Vector::simd:
        return SIGFPE;
    case Vector::debug:
    case Vector::breakpoint:
        return SIGTRAP;
    case Vector::invalid_opcode:
        return SIGILL;
    case Vector::alignment:
    case Vector::not_present:
    case Vector::stack:
        return SIGBUS;
    default:
        return SIGSEGV;
    }
}

// si_code of such a signal (sigaction(2)).
int code_of(Vector vector) {
    constexpr int k_kernel = 0x80; // SI_KERNEL
    switch (vector) {
    case Vector::divide:
        return FPE_INTDIV;
    case Vector::simd:
    case Vector::x87:
        return FPE_FLTINV;
    case Vector::debug:
        return TRAP_TRACE;
    case Vector::invalid_opcode:
        return ILL_ILLOPN;
    case Vector::alignment:
        return BUS_ADRALN;
    default:
        return k_kernel;
    }
}

Access access_of(u64 error) {
    constexpr u64 k_write = 2, k_fetch = 16;
    return (error & k_write) != 0   ? Access::write
           : (error & k_fetch) != 0 ? Access::execute
                                    : Access::read;
}

} // namespace

void iso_user_exception(TrapRegisters* registers, Vector vector) {
    int const code = code_of(vector);
    force_signal(signal_of(vector), code, code > 0 && code < 0x80 ? registers->rip : 0);
}

void iso_user_page_fault(TrapRegisters* registers, u64 address) {
    Process& process = current();
    FaultResult const result = address < ISO_USER_HIGH
                                   ? process.memory().fault(address, access_of(registers->error))
                                   : FaultResult::no_access;
    if (result == FaultResult::served) {
        ++linear<iso_counters>(ISO_COUNTERS_GPA)->page_faults;
        ++process.faults;
        return;
    }
    if (result == FaultResult::out_of_memory) {
        if (block_cache::give_back()) return; // the program touches it again
        process.kill_out_of_memory();
    }
    if (result == FaultResult::beyond_file) return force_signal(SIGBUS, BUS_ADRERR, address);
    bool const mapped = address < ISO_USER_HIGH && process.memory().area_at(address) != nullptr;
    force_signal(SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, address);
}

// Everything between a system call or trap and the program that has to see all registers, or that
// may take a while.
void iso_user_work(TrapFrame* frame) {
    Thread& thread = this_thread();
    if (thread.deferred != nullptr) {
        auto* const call = thread.deferred;
        thread.deferred = nullptr;
        Result const result = call(*frame);
        frame->trap.rax = static_cast<u64>(result);
        if (thread.traced_call != 0) trace_deferred(result);
    }
    do {
        iso_work_pending = 0;
        scheduler::settle();
        while (current().state == ProcessState::stopped)
            block_uninterrupted(current().went_on);
        // The program went to an address that is none (AMD64 APM volume 1, 2.1.2): SYSRET must not
        // see it.
        if (frame->trap.rip >> 47 != 0) force_signal(SIGSEGV);
        deliver_signals(*frame);
    } while (iso_work_pending != 0);
}

void iso_kernel_exception(TrapFrame* frame, Vector vector) {
    Line line;
    line << "exception ";
    line.decimal(static_cast<u32>(vector)) << " in the kernel";
    panic({line.data(), line.size()}, frame);
}
