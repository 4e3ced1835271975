// System calls about signals.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/signal.h>

namespace iso::guest {

namespace {

constexpr u64 k_set_bytes = 8;
constexpr u64 k_unblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

SignalInfo by_kill() {
    return {.code = 0, .pid = current().pid, .uid = boot_info().host_uid};
}

// To all processes that `meant` says; -ESRCH when there is none.
template <typename Meant>
Result send_to(u64 signal, Meant meant) {
    Result result = -ESRCH;
    for (Process* process = Process::first(); process != nullptr;) {
        Process* const next = process->next;
        if (meant(*process)) {
            result = 0;
            if (signal != 0) send_signal(*process, static_cast<int>(signal), by_kill());
        }
        process = next;
    }
    return result;
}

} // namespace

Result sys_rt_sigaction(u64 signal, u64 set, u64 get, u64 bytes) {
    if (bytes != k_set_bytes || signal == 0 || signal > k_signals) return -EINVAL;
    if (set != 0 && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
    SignalAction& action = current().actions->at(static_cast<int>(signal));
    SignalAction wanted = action;
    if (set != 0)
        if (Result const result = get_user(wanted, set); result != 0) return result;
    if (get != 0)
        if (Result const result = put_user(get, action); result != 0) return result;
    wanted.mask &= ~k_unblockable;
    action = wanted;
    if (set != 0) forget_ignored(current(), static_cast<int>(signal));
    return 0;
}

Result sys_rt_sigprocmask(u64 how, u64 set, u64 get, u64 bytes) {
    if (bytes != k_set_bytes) return -EINVAL;
    ThreadSignals& signals = this_thread().signals;
    u64 const old = signals.blocked;
    if (set != 0) {
        u64 mask = 0;
        if (Result const result = get_user(mask, set); result != 0) return result;
        mask &= ~k_unblockable;
        switch (how) {
        case SIG_BLOCK:
            signals.blocked |= mask;
            break;
        case SIG_UNBLOCK:
            signals.blocked &= ~mask;
            break;
        case SIG_SETMASK:
            signals.blocked = mask;
            break;
        default:
            return -EINVAL;
        }
        if (signals_due(this_thread())) iso_work_pending = 1;
    }
    return get != 0 ? put_user(get, old) : 0;
}

Result sys_rt_sigpending(u64 to, u64 bytes) {
    if (bytes > k_set_bytes) return -EINVAL;
    ThreadSignals const& signals = this_thread().signals;
    u64 const pending = (signals.pending | current().signals.pending) & signals.blocked;
    return copy_out(to, &pending, bytes);
}

Result sys_sigaltstack(u64 set, u64 get) {
    constexpr i64 k_disable = 2;     // SS_DISABLE
    constexpr u64 k_smallest = 2048; // MINSIGSTKSZ
    SignalStack& stack = this_thread().signals.stack;
    SignalStack wanted = stack;
    if (set != 0) {
        if (Result const result = get_user(wanted, set); result != 0) return result;
        wanted.flags &= 0xffffffff;
        if ((wanted.flags & ~k_disable) != 0) return -EINVAL;
        if (wanted.flags == 0 && wanted.bytes < k_smallest) return -ENOMEM;
    }
    if (get != 0)
        if (Result const result = put_user(get, stack); result != 0) return result;
    stack = wanted;
    return 0;
}

namespace {

// Waits for a handler with another mask, which is undone behind the handler.
Result suspend(u64 mask) {
    ThreadSignals& signals = this_thread().signals;
    signals.saved_mask = signals.blocked;
    signals.restore_mask = true;
    signals.blocked = mask;
    WaitQueue nobody;
    while (block(nobody) != Woken::signal) {
    }
    iso_work_pending = 1;
    return -k_restart_unhandled;
}

} // namespace

Result sys_rt_sigsuspend(u64 set, u64 bytes) {
    if (bytes != k_set_bytes) return -EINVAL;
    u64 mask = 0;
    if (Result const result = get_user(mask, set); result != 0) return result;
    return suspend(mask & ~k_unblockable);
}

Result sys_pause() {
    WaitQueue nobody;
    while (block(nobody) != Woken::signal) {
    }
    return -k_restart_unhandled;
}

Result sys_rt_sigtimedwait(u64 set, u64 info, u64 timeout, u64 bytes) {
    if (bytes != k_set_bytes) return -EINVAL;
    u64 wanted = 0;
    u64 deadline = k_never;
    if (Result const result = get_user(wanted, set); result != 0) return result;
    if (timeout != 0)
        if (Result const result = deadline_in(timeout, false, false, deadline); result != 0)
            return result;
    wanted &= ~k_unblockable;
    Thread& thread = this_thread();
    // While it waits, the wanted ones wake it like any that is not blocked.
    u64 const mask = thread.signals.blocked;
    for (;;) {
        Result const signal = take_signal(wanted, info);
        if (signal != 0) return signal;
        thread.signals.blocked = mask & ~wanted;
        WaitQueue nobody;
        Woken const why = block(nobody, deadline);
        thread.signals.blocked = mask;
        bool const there = ((thread.signals.pending | current().signals.pending) & wanted) != 0;
        if (there || why == Woken::event) continue;
        return why == Woken::timeout ? -EAGAIN : -EINTR;
    }
}

Result sys_kill(u64 pid, u64 signal) {
    if (signal > k_signals) return -EINVAL;
    i64 const target = static_cast<int>(pid);
    Process const& self = current();
    if (target > 0)
        return send_to(signal, [&](Process const& p) { return p.pid == static_cast<u64>(target); });
    if (target == -1) // all but the first and the caller, as kill(2) has it
        return send_to(signal,
                       [&](Process const& p) { return &p != &self && &p != &first_process; });
    u32 const group = target == 0 ? self.group : static_cast<u32>(-target);
    return send_to(signal, [&](Process const& p) { return p.group == group; });
}

Result sys_tkill(u64 tid, u64 signal) {
    return sys_tgkill(~0ull, tid, signal);
}

Result sys_tgkill(u64 pid, u64 tid, u64 signal) {
    bool const any = pid == ~0ull;
    if (signal > k_signals || static_cast<int>(tid) <= 0 || (!any && static_cast<int>(pid) <= 0))
        return -EINVAL;
    Thread* const thread = find_thread(static_cast<u32>(tid));
    if (thread == nullptr || (!any && thread->process->pid != pid)) return -ESRCH;
    constexpr int k_code = -6; // SI_TKILL
    SignalInfo info = by_kill();
    info.code = k_code;
    if (signal != 0) send_signal(*thread, static_cast<int>(signal), info);
    return 0;
}

} // namespace iso::guest
