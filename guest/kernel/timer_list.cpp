#include "guest/kernel/timer_list.hpp"

#include "guest/kernel/clock.hpp"

namespace iso::guest {

constinit TimerList timers;

void TimerList::set(Timer& timer, u64 deadline) {
    cancel(timer);
    if (deadline == k_never) return;
    Timer* before = nullptr;
    Timer* after = first_;
    while (after != nullptr && after->deadline <= deadline) {
        before = after;
        after = after->next;
    }
    timer.deadline = deadline;
    timer.previous = before;
    timer.next = after;
    (before != nullptr ? before->next : first_) = &timer;
    if (after != nullptr) after->previous = &timer;
}

void TimerList::cancel(Timer& timer) {
    if (timer.deadline == k_never) return;
    (timer.previous != nullptr ? timer.previous->next : first_) = timer.next;
    if (timer.next != nullptr) timer.next->previous = timer.previous;
    timer.deadline = k_never;
}

void TimerList::expire() {
    if (first_ == nullptr) return;
    u64 const now = clock::monotonic_ns();
    while (first_ != nullptr && first_->deadline <= now) {
        Timer& due = *first_;
        cancel(due);
        due.fire(due);
    }
}

} // namespace iso::guest
