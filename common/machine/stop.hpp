#pragma once

#include "common/result.hpp"

#include <cstdint>

namespace iso {

/// Why the engine was told to stop.
enum class StopReason { none, timeout, signal };

struct Stop {
    StopReason reason = StopReason::none;
    int signal = 0;
};

/// What was asked of this process by its timer or by a signal; safe to read at any time.
Stop stop_requested();

/// True once a stop was asked for; for inner loops.
bool stopping();

/// From here on SIGINT, SIGTERM, SIGHUP, SIGQUIT and the timer ask for a stop instead of killing.
/// `timeout_ns` 0: no timer. Call once, early: the timeout counts from here.
///
/// A signal may arrive between a look at stopping() and the call that then blocks. So a stop is
/// repeated every few milliseconds until the process has ended: the next one interrupts that call.
Result<void> arm_stop(std::uint64_t timeout_ns);

/// A byte that a stop sets to 1 besides, for a call that looks at it (KVM_RUN's immediate_exit);
/// nullptr when there is none (any more).
void kick_on_stop(std::uint8_t* flag);

} // namespace iso
