// Signals: sending them, and what is done about them before a program goes on.
#include "guest/kernel/signal.hpp"

#include "guest/kernel/process.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/port/port.hpp"

#include <asm/signal.h>
#include <asm/unistd_64.h>

namespace iso::guest {

namespace {

constexpr u64 k_ignored_by_default =
    signal_bit(SIGCHLD) | signal_bit(SIGURG) | signal_bit(SIGWINCH) | signal_bit(SIGCONT);
constexpr u64 k_stops =
    signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
constexpr u64 k_faults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) |
                         signal_bit(SIGTRAP) | signal_bit(SIGFPE) | signal_bit(SIGSYS);
constexpr u64 k_ignore = 1; // SIG_IGN

// Not __builtin_ctz: the compiler writes it as an instruction that is not baseline x86-64.
int lowest(u64 set) {
    int signal = 1;
    while ((set & signal_bit(signal)) == 0)
        ++signal;
    return signal;
}

// What the program itself did wrong comes first: its frame has to show the place.
int next_signal(u64 set) {
    return lowest((set & k_faults) != 0 ? set & k_faults : set);
}

bool is_ignored(Process& process, int signal) {
    if (signal == SIGKILL || signal == SIGSTOP) return false;
    u64 const handler = process.actions->at(signal).handler;
    return handler == k_ignore ||
           (handler == 0 && (signal_bit(signal) & k_ignored_by_default) != 0);
}

// A stop undoes a continue that waits, and the reverse.
void settle_job_control(Process& process, int signal) {
    u64 const undone = signal == SIGCONT                     ? k_stops
                       : (signal_bit(signal) & k_stops) != 0 ? signal_bit(SIGCONT)
                                                             : 0;
    process.signals.pending &= ~undone;
    for (Thread* thread = process.threads; thread != nullptr; thread = thread->sibling)
        thread->signals.pending &= ~undone;
    if (signal == SIGCONT || signal == SIGKILL) process.resume(signal == SIGCONT);
}

bool takes(Thread const& thread, int signal) {
    return (thread.signals.blocked & signal_bit(signal)) == 0;
}

void notify(Thread& thread, int signal) {
    if (thread.is_running()) iso_work_pending = 1;
    if (!thread.deaf || signal == SIGKILL) scheduler::wake(thread, Woken::signal);
}

} // namespace

bool signals_due(Thread const& thread) {
    u64 const pending = thread.signals.pending | thread.process->signals.pending;
    return (pending & ~thread.signals.blocked) != 0;
}

// The signal itself may be gone by then: another thread can have taken it.
void note_interrupted_call() {
    auto const& call = reinterpret_cast<TrapRegisters const*>(this_thread().stack_top)[-1];
    this_thread().interrupted_call = call.rax + 1;
    iso_work_pending = 1;
}

void send_signal(Process& process, int signal, SignalInfo const& info) {
    if (process.state == ProcessState::zombie) return;
    settle_job_control(process, signal);
    Thread* receiver = nullptr;
    for (Thread* thread = process.threads; thread != nullptr; thread = thread->sibling)
        if (takes(*thread, signal) && (receiver == nullptr || thread->is_running()))
            receiver = thread;
    if (receiver != nullptr && is_ignored(process, signal)) return;
    process.signals.pending |= signal_bit(signal);
    process.signals.info[signal - 1] = info;
    if (receiver != nullptr) notify(*receiver, signal);
}

void send_signal(Thread& thread, int signal, SignalInfo const& info) {
    settle_job_control(*thread.process, signal);
    if (takes(thread, signal) && is_ignored(*thread.process, signal)) return;
    thread.signals.pending |= signal_bit(signal);
    thread.signals.info = info;
    if (takes(thread, signal)) notify(thread, signal);
}

void raise_signal(int signal) {
    send_signal(this_thread(), signal, {.pid = current().pid});
}

void force_signal(int signal, int code, UserAddr address) {
    Thread& thread = this_thread();
    SignalAction& action = current().actions->at(signal);
    if (action.handler == k_ignore || !takes(thread, signal)) {
        action = {};
        thread.signals.blocked &= ~signal_bit(signal);
    }
    thread.signals.pending |= signal_bit(signal);
    thread.signals.fault = signal;
    thread.signals.fault_info = {.code = code, .value = address};
    iso_work_pending = 1;
}

void forget_ignored(Process& process, int signal) {
    if (!is_ignored(process, signal)) return;
    process.signals.pending &= ~signal_bit(signal);
    for (Thread* thread = process.threads; thread != nullptr; thread = thread->sibling)
        thread->signals.pending &= ~signal_bit(signal);
}

namespace {

struct Taken {
    int signal;
    SignalInfo info;
};

Taken take_next(Thread& thread, u64 ready) {
    int const signal = next_signal(ready);
    u64 const bit = signal_bit(signal);
    if ((thread.signals.pending & bit) != 0) {
        thread.signals.pending &= ~bit;
        bool const fault = thread.signals.fault == signal;
        if (fault) thread.signals.fault = 0;
        return {signal, fault ? thread.signals.fault_info : thread.signals.info};
    }
    ProcessSignals& shared = thread.process->signals;
    shared.pending &= ~bit;
    return {signal, shared.info[signal - 1]};
}

// The interrupted call ends with EINTR, or is made again (once the handler is through).
void settle_interrupted_call(TrapFrame& frame, SignalAction const* handler) {
    Thread& thread = this_thread();
    if (thread.interrupted_call == 0) return;
    u64 const number = thread.interrupted_call - 1;
    thread.interrupted_call = 0;
    auto const result = static_cast<Result>(frame.trap.rax);
    if (!is_restart(result)) return;
    bool const again =
        handler == nullptr || (result == -k_restart && (handler->flags & SA_RESTART) != 0);
    if (!again) {
        frame.trap.rax = static_cast<u64>(-EINTR);
        return;
    }
    constexpr u64 k_instruction_bytes = 2; // syscall
    frame.trap.rax = result == -k_restart_remainder ? u64{__NR_restart_syscall} : number;
    frame.trap.rip -= k_instruction_bytes;
}

void run_handler(TrapFrame& frame, Taken const& taken) {
    Thread& thread = this_thread();
    SignalAction& action = current().actions->at(taken.signal);
    SignalAction const wanted = action;
    settle_interrupted_call(frame, &wanted);
    u64 const mask =
        thread.signals.restore_mask ? thread.signals.saved_mask : thread.signals.blocked;
    thread.signals.restore_mask = false;
    if ((wanted.flags & SA_RESETHAND) != 0) action = {};
    if (!push_signal_frame(frame, taken.signal, taken.info, wanted, mask)) {
        current().actions->at(SIGSEGV) = {};
        current().exit_by_signal(SIGSEGV);
    }
    thread.signals.blocked |= wanted.mask;
    if ((wanted.flags & SA_NODEFER) == 0) thread.signals.blocked |= signal_bit(taken.signal);
}

} // namespace

Result take_signal(u64 wanted, UserAddr info) {
    Thread& thread = this_thread();
    u64 const ready = (thread.signals.pending | thread.process->signals.pending) & wanted;
    if (ready == 0) return 0;
    Taken const taken = take_next(thread, ready);
    if (info != 0)
        if (Result const result = put_signal_info(info, taken.signal, taken.info); result != 0)
            return result;
    return taken.signal;
}

void deliver_signals(TrapFrame& frame) {
    Thread& thread = this_thread();
    Process& process = current();
    for (;;) {
        u64 const ready =
            (thread.signals.pending | process.signals.pending) & ~thread.signals.blocked;
        if (ready == 0) break;
        Taken const taken = take_next(thread, ready);
        if (process.exiting || thread.leaves) process.leave(); // killed by another thread's doing
        u64 const handler = process.actions->at(taken.signal).handler;
        if (handler > k_ignore) {
            run_handler(frame, taken);
        } else if (!is_ignored(process, taken.signal)) {
            if ((signal_bit(taken.signal) & k_stops) == 0) process.exit_by_signal(taken.signal);
            process.stop(taken.signal);
        }
    }
    settle_interrupted_call(frame, nullptr);
    if (thread.signals.restore_mask) {
        thread.signals.restore_mask = false;
        thread.signals.blocked = thread.signals.saved_mask;
        if (signals_due(thread)) deliver_signals(frame);
    }
}

} // namespace iso::guest
