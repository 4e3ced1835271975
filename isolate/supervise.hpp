#pragma once

#include "common/pidfd.hpp"
#include "isolate/stop_signals.hpp"

#include <cstdint>
#include <functional>
#include <poll.h>
#include <span>

namespace iso::jail {

/// Whether a signal is one of those that end a jail.
bool asks_to_stop(int signal);

/// How the wait for process 1 came to its end.
struct Waited {
    bool timed_out = false;
    int stopped_by = 0; ///< the signal that asked us to stop
};

/// What else the waiting one has to serve: a terminal, a log.
struct Service {
    /// Looked at together with the jail; those with a negative descriptor are skipped.
    std::span<pollfd> polled = {};
    /// Called when one of them has something (`revents`); may change their descriptors, and the
    /// deadline.
    std::function<void(std::uint64_t& deadline_ns)> serve = {};
    /// Called for a signal that is none of those that end a jail.
    std::function<void(int)> other_signal = {};
};

/// Waits until process 1 of a jail has ended (it is not reaped).
///
/// The first signal that asks us to stop goes to the jail, whose program may tidy up; a second one,
/// or a second of time, ends everything. `deadline_ns` of CLOCK_MONOTONIC: the jail is killed then
/// (0: never).
Result<Waited> supervise(Pidfd const& jail, StopSignals const& signals, std::uint64_t deadline_ns,
                         Service const& service = {});

} // namespace iso::jail
