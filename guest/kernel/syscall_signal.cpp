// System calls about signals.
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/signal.h>

namespace iso::guest {

namespace {

constexpr u64 k_set_bytes = 8;
constexpr u64 k_unblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

Result send(u64 signal) {
    if (signal > k_signals) return -EINVAL;
    if (signal != 0) current().signals.raise(static_cast<int>(signal));
    return 0;
}

} // namespace

Result sys_rt_sigaction(u64 signal, u64 set, u64 get, u64 bytes) {
    if (bytes != k_set_bytes || signal == 0 || signal > k_signals) return -EINVAL;
    if (set != 0 && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
    SignalAction& action = current().signals.actions[signal - 1];
    SignalAction wanted = action;
    if (set != 0)
        if (Result const result = get_user(wanted, set); result != 0) return result;
    if (get != 0)
        if (Result const result = put_user(get, action); result != 0) return result;
    wanted.mask &= ~k_unblockable;
    action = wanted;
    return 0;
}

Result sys_rt_sigprocmask(u64 how, u64 set, u64 get, u64 bytes) {
    if (bytes != k_set_bytes) return -EINVAL;
    Signals& signals = current().signals;
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
        if ((signals.pending & ~signals.blocked) != 0) iso_work_pending = 1;
    }
    return get != 0 ? put_user(get, old) : 0;
}

Result sys_rt_sigpending(u64 to, u64 bytes) {
    if (bytes > k_set_bytes) return -EINVAL;
    u64 const pending = current().signals.pending & current().signals.blocked;
    return copy_out(to, &pending, bytes);
}

Result sys_sigaltstack(u64 set, u64 get) {
    constexpr i64 k_disable = 2;     // SS_DISABLE
    constexpr u64 k_smallest = 2048; // MINSIGSTKSZ
    SignalStack& stack = current().signals.stack;
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

Result sys_kill(u64 pid, u64 signal) {
    i64 const target = static_cast<int>(pid);
    u32 const own = current().pid;
    if (target != own && target != 0 && target != -1 && target != -static_cast<i64>(own))
        return -ESRCH;
    return send(signal);
}

Result sys_tkill(u64 tid, u64 signal) {
    if (static_cast<int>(tid) <= 0) return -EINVAL;
    return tid == current().pid ? send(signal) : -ESRCH;
}

Result sys_tgkill(u64 pid, u64 tid, u64 signal) {
    if (static_cast<int>(pid) <= 0) return -EINVAL;
    return pid == current().pid ? sys_tkill(tid, signal) : -ESRCH;
}

} // namespace iso::guest
