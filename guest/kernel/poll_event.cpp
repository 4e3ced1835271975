// eventfd(2): a number that can be waited for.
#include "guest/kernel/poll.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/fcntl.h>

namespace iso::guest {

namespace {

constexpr u64 k_most = ~0ull - 1;
constexpr u64 k_semaphore = 1; // EFD_SEMAPHORE; the other flags are those of open(2)

struct Event {
    u64 count = 0;
    bool semaphore = false;
    WaitQueue changed;
};

constinit Pool<Event> events("event");

Event& event_of(OpenFile const& file) {
    return *static_cast<Event*>(file.object);
}

Result wait_for(OpenFile const& file, Event& event) {
    if ((file.flags & O_NONBLOCK) != 0) return -EAGAIN;
    return block(event.changed) == Woken::signal ? -k_restart : 0;
}

Result read(OpenFile& file, UserAddr to, u64 bytes, u64) {
    Event& event = event_of(file);
    if (bytes < sizeof event.count) return -EINVAL;
    HeldFile const held(file);
    while (event.count == 0)
        if (Result const result = wait_for(file, event); result != 0) return result;
    u64 const taken = event.semaphore ? 1 : event.count;
    if (Result const result = put_user(to, taken); result != 0) return result;
    event.count -= taken;
    event.changed.wake_all();
    return sizeof taken;
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64) {
    Event& event = event_of(file);
    u64 added = 0;
    if (bytes < sizeof added) return -EINVAL;
    if (Result const result = get_user(added, from); result != 0) return result;
    if (added > k_most) return -EINVAL;
    HeldFile const held(file);
    while (event.count > k_most - added)
        if (Result const result = wait_for(file, event); result != 0) return result;
    event.count += added;
    event.changed.wake_all();
    return sizeof added;
}

u32 poll(OpenFile& file, Poller& poller) {
    Event& event = event_of(file);
    poller.wait_on(file, event.changed);
    return (event.count != 0 ? k_poll_in : 0) | (event.count < k_most ? k_poll_out : 0);
}

void release(OpenFile& file) {
    events.drop(&event_of(file));
}

constexpr FileOperations k_operations = {
    .read = read, .write = write, .poll = poll, .release = release};

} // namespace

Result sys_eventfd2(u64 count, u64 flags) {
    if ((flags & ~(k_semaphore | O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
    Event* const event = events.make();
    if (event == nullptr) return -ENOMEM;
    event->count = static_cast<u32>(count);
    event->semaphore = (flags & k_semaphore) != 0;
    OpenFile* const file =
        make_nameless(event, &k_operations, O_RDWR | static_cast<u32>(flags & O_NONBLOCK));
    if (file == nullptr) {
        events.drop(event);
        return -ENOMEM;
    }
    return current().files().add(file, 0, (flags & O_CLOEXEC) != 0);
}

Result sys_eventfd(u64 count) {
    return sys_eventfd2(count, 0);
}

} // namespace iso::guest
