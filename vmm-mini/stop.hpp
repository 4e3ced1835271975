#pragma once

#include "common/result.hpp"

#include <cstdint>

#include <linux/kvm.h>

namespace iso::vmm {

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

/// The vCPU that a stop must get out of KVM_RUN; nullptr when there is none (any more).
/// KVM then returns at once from every KVM_RUN (api.rst section 5, immediate_exit).
void kick_on_stop(kvm_run* run);

} // namespace iso::vmm
