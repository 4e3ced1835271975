#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

class WaitQueue;
class Thread;

inline constexpr u64 k_never = ~0ull; // a deadline that does not come

/// What an interrupted call returns inside the kernel, never seen by programs: the way back to them
/// makes EINTR of it, or the call again. Which of them depends on whether a handler runs
/// (signal(7), "Interruption of system calls"): after a stop, for instance, none does.
inline constexpr long k_restart = 512;           // again, unless a handler without SA_RESTART runs
inline constexpr long k_restart_unhandled = 514; // again, unless any handler runs
inline constexpr long k_restart_remainder = 516; // the same, by Thread::remainder
constexpr bool is_restart(long result) {
    return result == -k_restart || result == -k_restart_unhandled || result == -k_restart_remainder;
}

/// Why a thread goes on.
enum class Woken : u8 { event, timeout, signal };

/// One thread's place in one queue. On the sleeper's stack; not copied.
struct Waiter {
    WaitQueue* queue = nullptr;
    Thread* thread = nullptr;
    Waiter* next = nullptr;
    Waiter* previous = nullptr;
};

/// Threads that wait for one kind of event, the longest waiting first.
class WaitQueue {
public:
    bool empty() const { return first_ == nullptr; }
    void wake_all() {
        if (first_ != nullptr) wake(~0u);
    }
    void wake_one() {
        if (first_ != nullptr) wake(1);
    }
    /// Wakes up to `most`; how many it were.
    u32 wake(u32 most);

    void insert(Waiter& waiter);
    void remove(Waiter& waiter);

private:
    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

/// Sleeps until the queue is woken, the deadline (CLOCK_MONOTONIC, ns) passes, or a signal is to be
/// acted on. Being woken is a hint: the caller looks whether what it waits for is true.
Woken block(WaitQueue& queue, u64 deadline = k_never);
/// The same on several queues at once: `queue` of each waiter is set by the caller.
Woken block(Waiter* waiters, u32 count, u64 deadline = k_never);
/// Not to be interrupted by any signal but SIGKILL (vfork's parent).
Woken block_uninterrupted(WaitQueue& queue);

} // namespace iso::guest
