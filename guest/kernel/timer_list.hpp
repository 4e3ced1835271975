#pragma once

#include "guest/kernel/wait_queue.hpp"

namespace iso::guest {

/// Something that is to happen at a time (CLOCK_MONOTONIC, ns).
struct Timer {
    u64 deadline = k_never; // k_never: not in the list
    void (*fire)(Timer&) = nullptr;
    Timer* next = nullptr;
    Timer* previous = nullptr;
};

/// All timers that are set, the earliest first. Few at a time: a list is enough.
class TimerList {
public:
    bool empty() const { return first_ == nullptr; }
    /// When the next one is due; k_never when there is none.
    u64 earliest() const { return first_ == nullptr ? k_never : first_->deadline; }
    void set(Timer& timer, u64 deadline);
    void cancel(Timer& timer);
    /// Fires what is due.
    void expire();

private:
    Timer* first_ = nullptr;
};

extern TimerList timers;

} // namespace iso::guest
