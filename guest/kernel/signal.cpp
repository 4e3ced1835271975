// Signals, as far as programs without handlers need them: the default actions.
#include "guest/kernel/signal.hpp"

#include "guest/kernel/process.hpp"

#include <asm/signal.h>

namespace iso::guest {

namespace {

constexpr u64 k_ignored_by_default =
    signal_bit(SIGCHLD) | signal_bit(SIGURG) | signal_bit(SIGWINCH) | signal_bit(SIGCONT);
// Nobody could continue a stopped program here: it goes on.
constexpr u64 k_stops =
    signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
constexpr u64 k_ignore = 1; // SIG_IGN

// Not __builtin_ctz: the compiler writes it as an instruction that is not baseline x86-64.
int lowest(u64 set) {
    int signal = 1;
    while ((set & signal_bit(signal)) == 0)
        ++signal;
    return signal;
}

} // namespace

void Signals::raise(int signal) {
    SignalAction const& action = actions[signal - 1];
    if (signal != SIGKILL && action.handler == k_ignore) return;
    if (action.handler == 0 && (signal_bit(signal) & (k_ignored_by_default | k_stops)) != 0) return;
    pending |= signal_bit(signal);
    iso_work_pending = 1;
}

void Signals::force(int signal) {
    actions[signal - 1] = {};
    blocked &= ~signal_bit(signal);
    raise(signal);
}

void Signals::deliver(TrapFrame&) {
    u64 const ready = pending & (~blocked | signal_bit(SIGKILL));
    if (ready == 0) return;
    // FIXME: run handlers; until then a caught signal does what it would do uncaught.
    current().kill(lowest(ready));
}

} // namespace iso::guest
