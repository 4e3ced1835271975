// epoll(7): sets of files that are watched. Level-triggered; who asks for edges (EPOLLET) gets
// events for the level, too, which it has to expect anyway.
#include "guest/kernel/poll.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/poll_mask.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>

namespace iso::guest {

struct EpollItem {
    EpollItem* next = nullptr;         // in the same set
    EpollItem* next_of_file = nullptr; // that watches the same file
    struct EpollSet* set = nullptr;
    OpenFile* file = nullptr;
    int descriptor = 0;
    u32 events = 0;
    u64 data = 0;
};

struct EpollSet {
    EpollItem* items = nullptr;
    u32 count = 0;
    WaitQueue changed; // of the set itself
};

namespace {

constexpr u32 k_always = k_poll_error | k_poll_hangup;
constexpr u32 k_flags = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;

constinit Pool<EpollItem> items("epoll_item");
constinit Pool<EpollSet> sets("epoll_set");

EpollSet& set_of(OpenFile const& file) {
    return *static_cast<EpollSet*>(file.object);
}

void remove(EpollItem* item) {
    EpollItem** place = &item->set->items;
    while (*place != item)
        place = &(*place)->next;
    *place = item->next;
    --item->set->count;
    place = &item->file->watchers;
    while (*place != item)
        place = &(*place)->next_of_file;
    *place = item->next_of_file;
    items.drop(item);
}

u32 ready(EpollItem const& item, Poller& poller) {
    u32 const events = item.events & ~k_flags;
    return events == 0
               ? 0
               : poll_file(*item.file, poller) & (events | k_always); // 0: its one shot is spent
}

u32 poll(OpenFile& file, Poller& poller) {
    EpollSet& set = set_of(file);
    poller.wait_on(file, set.changed);
    u32 found = 0;
    for (EpollItem const* item = set.items; item != nullptr; item = item->next)
        if (ready(*item, poller) != 0) found = k_poll_in;
    return found;
}

void release(OpenFile& file) {
    EpollSet& set = set_of(file);
    while (set.items != nullptr)
        remove(set.items);
    sets.drop(&set);
}

constexpr FileOperations k_operations = {.poll = poll, .release = release};

EpollItem* find(EpollSet& set, OpenFile const* file, int descriptor) {
    for (EpollItem* item = set.items; item != nullptr; item = item->next)
        if (item->file == file && item->descriptor == descriptor) return item;
    return nullptr;
}

// Sets in sets would have to be looked through without end if they could go in a circle: one level
// of them is enough for programs.
bool too_deep(OpenFile const& owner, OpenFile const& file) {
    if (file.operations != &k_operations) return false;
    for (EpollItem const* item = set_of(file).items; item != nullptr; item = item->next)
        if (item->file->operations == &k_operations) return true;
    return owner.watchers != nullptr;
}

Result add(OpenFile& owner, OpenFile& file, int descriptor, epoll_event const& event) {
    EpollSet& set = set_of(owner);
    if (file.operations->poll == nullptr) return -EPERM; // regular files are always ready
    if (find(set, &file, descriptor) != nullptr) return -EEXIST;
    if (too_deep(owner, file)) return -ELOOP;
    EpollItem* const item = items.make();
    if (item == nullptr) return -ENOMEM;
    item->set = &set;
    item->file = &file;
    item->descriptor = descriptor;
    item->events = event.events;
    item->data = event.data;
    item->next_of_file = file.watchers;
    file.watchers = item;
    item->next = set.items;
    set.items = item;
    ++set.count;
    set.changed.wake_all();
    return 0;
}

struct Call {
    OpenFile* file;
    UserAddr to;
    u32 most;
};

Result scan(void* context, Poller& poller) {
    auto const& call = *static_cast<Call*>(context);
    EpollSet& set = set_of(*call.file);
    poller.wait_on(*call.file, set.changed);
    u32 found = 0;
    EpollItem* last = nullptr;
    for (EpollItem* item = set.items; item != nullptr && found < call.most; item = item->next) {
        u32 const mask = ready(*item, poller);
        if (mask == 0) continue;
        epoll_event const event = {mask, item->data};
        if (Result const result = put_user(call.to + found * sizeof event, event); result != 0)
            return found != 0 ? static_cast<Result>(found) : result;
        if ((item->events & EPOLLONESHOT) != 0) item->events &= k_flags;
        ++found;
        last = item;
    }
    // Who was not reached comes first next time.
    if (last != nullptr && last->next != nullptr) {
        EpollItem* end = last;
        while (end->next != nullptr)
            end = end->next;
        end->next = set.items;
        set.items = last->next;
        last->next = nullptr;
    }
    return static_cast<Result>(found);
}

Result wait(u64 fd, u64 to, u64 most, u64 deadline) {
    OpenFile* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->operations != &k_operations) return -EINVAL;
    if (static_cast<int>(most) <= 0) return -EINVAL;
    HeldFile const held(*file);
    Call call{file, to, static_cast<u32>(most)};
    Result const result = wait_ready(scan, &call, 2 * set_of(*file).count + 8, deadline);
    return result == -k_restart_unhandled ? -EINTR : result; // signal(7): never made again
}

u64 deadline_after(u64 timeout) {
    auto const milliseconds = static_cast<int>(timeout);
    if (milliseconds < 0) return k_never;
    if (milliseconds == 0) return 0;
    return clock::monotonic_ns() + static_cast<u64>(milliseconds) * 1'000'000;
}

} // namespace

void forget_watched(OpenFile& file) {
    while (file.watchers != nullptr)
        remove(file.watchers);
}

Result sys_epoll_create1(u64 flags) {
    if ((flags & ~u64{EPOLL_CLOEXEC}) != 0) return -EINVAL;
    EpollSet* const set = sets.make();
    if (set == nullptr) return -ENOMEM;
    OpenFile* const file = make_nameless(set, &k_operations, O_RDWR);
    if (file == nullptr) {
        sets.drop(set);
        return -ENOMEM;
    }
    return current().files().add(file, 0, flags != 0);
}

Result sys_epoll_create(u64 size) {
    return static_cast<int>(size) <= 0 ? -EINVAL : sys_epoll_create1(0);
}

Result sys_epoll_ctl(u64 fd, u64 operation, u64 descriptor, u64 event_at) {
    FileTable const& files = current().files();
    epoll_event event = {};
    if (operation != EPOLL_CTL_DEL)
        if (Result const result = get_user(event, event_at); result != 0) return result;
    OpenFile* const owner = files.at(fd);
    OpenFile* const file = files.at(descriptor);
    if (owner == nullptr || file == nullptr) return -EBADF;
    if (owner->operations != &k_operations || owner == file) return -EINVAL;
    if (operation == EPOLL_CTL_ADD) return add(*owner, *file, static_cast<int>(descriptor), event);
    EpollItem* const item = find(set_of(*owner), file, static_cast<int>(descriptor));
    if (operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL) return -EINVAL;
    if (item == nullptr) return -ENOENT;
    if (operation == EPOLL_CTL_DEL) {
        remove(item);
        return 0;
    }
    item->events = event.events;
    item->data = event.data;
    set_of(*owner).changed.wake_all();
    return 0;
}

Result sys_epoll_wait(u64 fd, u64 to, u64 most, u64 timeout) {
    return wait(fd, to, most, deadline_after(timeout));
}

Result sys_epoll_pwait(u64 fd, u64 to, u64 most, u64 timeout, u64 mask, u64 mask_bytes) {
    if (Result const result = set_temporary_mask(mask, mask_bytes); result != 0) return result;
    return end_temporary_mask(wait(fd, to, most, deadline_after(timeout)));
}

} // namespace iso::guest
