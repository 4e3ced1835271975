#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/trap.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

class Process;
class Thread;

/// struct sigaction as the kernel's interface has it.
struct SignalAction {
    u64 handler = 0; // 0 default, 1 ignore
    u64 flags = 0;
    u64 restorer = 0;
    u64 mask = 0;
};

struct SignalStack {
    u64 address = 0;
    i64 flags = 2; // SS_DISABLE
    u64 bytes = 0;
};

/// What a handler is told (sigaction(2), siginfo_t): why, and by whom or where.
struct SignalInfo {
    int code = 0; // 0: kill(2)
    u32 pid = 0;
    u32 uid = 0;
    int status = 0;
    u64 value = 0; // an address, or sigqueue's value
};

inline constexpr int k_signals = 64;
inline constexpr u64 signal_bit(int signal) {
    return 1ull << (signal - 1);
}

/// What a process does about signals; shared by those cloned with CLONE_SIGHAND.
struct SignalActions {
    SignalAction of[k_signals];
    u32 users = 1;

    SignalAction& at(int signal) { return of[signal - 1]; }
};

/// With one user; nullptr when there is no memory.
SignalActions* copy_actions(SignalActions const& from);

/// Signals of one thread.
struct ThreadSignals {
    u64 blocked = 0;
    u64 pending = 0;
    SignalInfo info;       // of the signal sent to this very thread last
    int fault = 0;         // the signal that the thread brought on itself
    SignalInfo fault_info; // of that
    SignalStack stack;
    u64 saved_mask = 0; // what sigsuspend and ppoll put aside
    bool restore_mask = false;
};

/// Signals sent to a whole process; one of a kind waits at a time.
struct ProcessSignals {
    u64 pending = 0;
    SignalInfo info[k_signals];
};

/// There is something to act on before the program goes on.
bool signals_due(Thread const& thread);
/// For a call that ends because signals are due: remembers which, so that it can be made again.
void note_interrupted_call();

/// To any thread of the process that does not block it.
void send_signal(Process& process, int signal, SignalInfo const& info);
/// To one thread.
void send_signal(Thread& thread, int signal, SignalInfo const& info);
/// To the current thread, from the kernel: SIGPIPE and the like.
void raise_signal(int signal);
/// For a fault of the program itself: not to be blocked or ignored.
void force_signal(int signal, int code = 0x80 /* SI_KERNEL */, UserAddr address = 0);

/// What waits already is gone once it is ignored (sigaction(2), POSIX).
void forget_ignored(Process& process, int signal);

/// Takes the lowest of `wanted` that is pending, and tells the program about it at `info`
/// (siginfo_t; 0: nowhere). 0 when there is none; -EFAULT.
Result take_signal(u64 wanted, UserAddr info);

/// Acts on what is due; may not return.
void deliver_signals(TrapFrame& frame);

/// Lets a handler run: its frame on the program's stack (Linux's rt_sigframe). False when that
/// stack cannot be written.
bool push_signal_frame(TrapFrame& frame, int signal, SignalInfo const& info,
                       SignalAction const& action, u64 mask);
/// Writes a siginfo_t; 0 or -EFAULT.
Result put_signal_info(UserAddr to, int signal, SignalInfo const& info);
/// Undoes it (rt_sigreturn): the call's result is whatever rax was.
[[gnu::visibility("hidden")]] Result pop_signal_frame(TrapFrame& frame);

} // namespace iso::guest
