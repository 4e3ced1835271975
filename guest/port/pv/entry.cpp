// How traps enter and leave the kernel under the hypervisor. It has put the program's registers on
// the kernel stack, in the order of TrapFrame; the way back is one hypercall.
#include "guest/port/pv/entry.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

#include <asm/signal.h>

static_assert(sizeof(iso_pv_frame) == sizeof(iso::guest::TrapFrame));
static_assert(offsetof(iso_pv_frame, rbx) == offsetof(iso::guest::TrapFrame, rbx));
static_assert(offsetof(iso_pv_frame, rax) ==
              offsetof(iso::guest::TrapFrame, trap) + offsetof(iso::guest::TrapRegisters, rax));
static_assert(offsetof(iso_pv_frame, ss) ==
              offsetof(iso::guest::TrapFrame, trap) + offsetof(iso::guest::TrapRegisters, ss));

// The table that syscall_table.cpp keeps for the entry code.
extern "C" iso::guest::Result (*const* iso_syscalls)(iso::guest::u64, iso::guest::u64,
                                                     iso::guest::u64, iso::guest::u64,
                                                     iso::guest::u64, iso::guest::u64);

namespace iso::guest::pv {

namespace {

[[noreturn]] void leave(TrapFrame* frame) {
    if (iso_work_pending != 0) iso_user_work(frame);
    return_to_user(*frame);
}

// System calls that the host kernel serves before it looks at filters (uretprobe, uprobe on recent
// kernels) end in SIGILL behind a `syscall` instruction. To the program they do not exist.
bool is_refused_system_call(TrapFrame const& frame) {
    u8 code[2];
    return copy_in(code, frame.trap.rip - sizeof code, sizeof code) == 0 && code[0] == 0x0f &&
           code[1] == 0x05;
}

[[noreturn]] void exception(TrapFrame* frame, u32 number) {
    auto const vector = static_cast<Vector>(number);
    if (number ==
        ISO_VECTOR_SPACE_DEAD) { // error: why the host could not map, 0: it ended the process
        if (frame->trap.error != 0) current().kill_out_of_memory();
        current().exit_by_signal(SIGSYS);
    }
    if (vector == Vector::page) {
        iso_user_page_fault(&frame->trap, port::fault_address());
    } else if (vector == Vector::invalid_opcode && is_refused_system_call(*frame)) {
        frame->trap.rax = static_cast<u64>(-38); // ENOSYS
    } else {
        iso_user_exception(&frame->trap, vector);
    }
    leave(frame);
}

} // namespace

LazyTimer timer;

iso_trap_info const* trap_table() {
    static iso_trap_info table[33];
    for (u8 vector = 0; vector < 32; ++vector)
        table[vector] = {vector, 0, 0, 0, reinterpret_cast<u64>(&exception)};
    return table;
}

void syscall_callback(TrapFrame* frame, u32) {
    TrapRegisters& r = frame->trap;
    u64 const number = smaller<u64>(r.rax, ISO_COUNTED_SYSCALLS - 1);
    ++linear<iso_counters>(ISO_COUNTERS_GPA)->syscalls[number];
    r.rcx = r.rip; // what the instruction does to them
    r.r11 = r.rflags;
    i64 const result = iso_syscalls[number](r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9);
    r.rax = static_cast<u64>(result);
    leave(frame);
}

void event_callback(TrapFrame* frame, u32) {
    iso_shared_info& shared = shared_info();
    __atomic_store_n(&shared.upcall_pending, 0u, __ATOMIC_SEQ_CST);
    u32 const events = __atomic_exchange_n(&shared.pending[0], 0u, __ATOMIC_SEQ_CST);
    if ((events & 1u << ISO_EVENT_TIMER) != 0) {
        LazyTimer::Fired const fired = timer.fired(clock::monotonic_ns());
        if (fired.again != 0) hypercall(ISO_HC_SET_TIMER_OP, fired.again);
        if (fired.due) iso_timer_tick();
    }
    leave(frame);
}

void return_to_user(TrapFrame const& frame) {
    hypercall(ISO_HC_IRET, reinterpret_cast<u64>(&frame));
    __builtin_unreachable();
}

} // namespace iso::guest::pv
