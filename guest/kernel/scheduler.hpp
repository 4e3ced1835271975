#pragma once

#include "guest/kernel/thread.hpp"

namespace iso::guest {

/// One processor, threads in turn. The kernel is never interrupted: a thread gives the processor
/// away when it blocks, or on its way back to the program when its time is up. There is no periodic
/// tick: the machine's timer is set when somebody waits for a turn, or for a time.
namespace scheduler {

inline constexpr u64 k_slice_ns = 10'000'000;

/// Stands `thread` at the end of the line of those that can run.
void make_ready(Thread& thread);
/// Ends the wait of a blocked thread; nothing if it does not wait.
void wake(Thread& thread, Woken why);
/// Runs others, then goes on: at once if nobody else can run.
void yield();
/// Runs others until somebody wakes this thread.
void wait();
/// Runs others for ever.
[[noreturn]] void leave();
/// Before the program goes on: gives way if its time is up, sets the timer if one is needed.
void settle();
/// The machine's timer went off.
void tick();

} // namespace scheduler

/// Where a fresh thread begins, with its frame at the top of its stack.
[[noreturn, gnu::visibility("hidden")]] void start_thread();
/// Gives back the memory of a thread that ended.
void bury(Thread* thread);

} // namespace iso::guest
