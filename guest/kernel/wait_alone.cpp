// Waiting while there is only one thread: nobody else could wake it, so time passes or stdin comes.
#include "guest/kernel/clock.hpp"
#include "guest/kernel/console.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/wait_queue.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

Woken wait(u64 deadline, bool for_input) {
    if (current().signals.pending != 0) return Woken::signal;
    iso_doorbell& page = port::request();
    page.argument[0] = deadline;
    page.argument[1] = for_input ? 1 : 0;
    return port::ring(ISO_OP_SLEEP) == 1 ? Woken::event : Woken::timeout;
}

} // namespace

u32 WaitQueue::wake(u32) {
    return 0;
}

Woken block(WaitQueue& queue, u64 deadline) {
    return wait(deadline, &queue == &console::input_queue);
}

Woken block(Waiter* waiters, u32 count, u64 deadline) {
    bool for_input = false;
    for (u32 i = 0; i < count; ++i)
        for_input = for_input || waiters[i].queue == &console::input_queue;
    return wait(deadline, for_input);
}

} // namespace iso::guest
