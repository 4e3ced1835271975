// What happens when the program traps, other than by a system call.
#include "guest/kernel/trap.hpp"

#include "guest/kernel/log.hpp"
#include "guest/kernel/process.hpp"

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

Access access_of(u64 error) {
    constexpr u64 k_write = 2, k_fetch = 16;
    return (error & k_write) != 0   ? Access::write
           : (error & k_fetch) != 0 ? Access::execute
                                    : Access::read;
}

} // namespace

void iso_user_exception(TrapRegisters*, Vector vector) {
    current().signals.force(signal_of(vector));
}

void iso_user_page_fault(TrapRegisters* registers, u64 address) {
    Process& process = current();
    FaultResult const result = address < ISO_USER_HIGH
                                   ? process.memory.fault(address, access_of(registers->error))
                                   : FaultResult::no_access;
    if (result == FaultResult::served) {
        ++linear<iso_counters>(ISO_COUNTERS_GPA)->page_faults;
        return;
    }
    if (result == FaultResult::out_of_memory) process.kill_out_of_memory();
    process.signals.force(result == FaultResult::beyond_file ? SIGBUS : SIGSEGV);
}

void iso_user_work(TrapFrame* frame) {
    iso_work_pending = 0;
    Process& process = current();
    // The program went to an address that is none (AMD64 APM volume 1, 2.1.2): SYSRET must not see
    // it.
    if (frame->trap.rip >> 47 != 0) process.signals.force(SIGSEGV);
    process.signals.deliver(*frame);
    iso_work_pending = 0;
}

void iso_timer_tick() {}

void iso_kernel_exception(TrapFrame* frame, Vector vector) {
    Line line;
    line << "exception ";
    line.decimal(static_cast<u32>(vector)) << " in the kernel";
    panic({line.data(), line.size()}, frame);
}
