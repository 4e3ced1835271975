#include "guest/kernel/wait_queue.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/scheduler.hpp"

namespace iso::guest {

namespace {

struct SleepTimer {
    static void fire(Timer& timer) {
        auto* const thread = reinterpret_cast<Thread*>(reinterpret_cast<u64>(&timer) -
                                                       __builtin_offsetof(Thread, timer));
        scheduler::wake(*thread, Woken::timeout);
    }
};

} // namespace

void WaitQueue::insert(Waiter& waiter) {
    waiter.next = nullptr;
    waiter.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
}

void WaitQueue::remove(Waiter& waiter) {
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
}

// They leave the queue when they run: until then the state tells who was woken already.
u32 WaitQueue::wake(u32 most) {
    u32 woken = 0;
    for (Waiter* waiter = first_; waiter != nullptr && woken < most; waiter = waiter->next) {
        if (waiter->thread->state != ThreadState::blocked) continue;
        scheduler::wake(*waiter->thread, Woken::event);
        ++woken;
    }
    return woken;
}

Woken block(Waiter* waiters, u32 count, u64 deadline) {
    Thread& thread = this_thread();
    if (!thread.deaf && signals_due(thread)) {
        note_interrupted_call();
        return Woken::signal;
    }
    if (deadline != k_never) {
        if (deadline <= clock::monotonic_ns()) return Woken::timeout;
        thread.timer.fire = SleepTimer::fire;
        timers.set(thread.timer, deadline);
        // Whoever runs meanwhile has to be interrupted for it.
        if (this_cpu.alarm == 0 || deadline < this_cpu.alarm) iso_work_pending = 1;
    }
    for (u32 i = 0; i < count; ++i) {
        waiters[i].thread = &thread;
        waiters[i].queue->insert(waiters[i]);
    }
    scheduler::wait();
    for (u32 i = 0; i < count; ++i)
        waiters[i].queue->remove(waiters[i]);
    timers.cancel(thread.timer);
    if (thread.woken == Woken::signal) note_interrupted_call();
    return thread.woken;
}

Woken block(WaitQueue& queue, u64 deadline) {
    Waiter waiter;
    waiter.queue = &queue;
    return block(&waiter, 1, deadline);
}

Woken block_uninterrupted(WaitQueue& queue) {
    Thread& thread = this_thread();
    thread.deaf = true;
    Woken const woken = block(queue);
    thread.deaf = false;
    return woken;
}

} // namespace iso::guest
