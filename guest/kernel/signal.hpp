#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/trap.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

/// struct sigaction as the kernel's interface has it.
struct SignalAction {
    u64 handler; // 0 default, 1 ignore
    u64 flags;
    u64 restorer;
    u64 mask;
};

struct SignalStack {
    u64 address;
    i64 flags;
    u64 bytes;
};

inline constexpr int k_signals = 64;
inline constexpr u64 signal_bit(int signal) {
    return 1ull << (signal - 1);
}

/// The signals of one process: actions, mask, and what is pending.
class Signals {
public:
    SignalAction actions[k_signals] = {};
    u64 blocked = 0;
    u64 pending = 0;
    SignalStack stack = {0, 2, 0}; // SS_DISABLE

    /// Makes `signal` pending; it is acted on before the program goes on.
    void raise(int signal);
    /// The same for a fault of the program itself: not to be blocked or ignored.
    void force(int signal);
    /// Acts on what is pending and not blocked; may not return.
    void deliver(TrapFrame& frame);
};

} // namespace iso::guest
