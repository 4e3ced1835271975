// Waiting for several files at a time: poll(2), select(2).
#include "guest/kernel/poll.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/poll_mask.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <new>

namespace iso::guest {

namespace {

constexpr u64 k_second = 1'000'000'000;
constexpr u32 k_few = 12; // queues that fit on the stack

// Memory for a poller: on the stack, or frames when there are many queues.
class Places {
public:
    explicit Places(u32 wanted) {
        constexpr u64 k_each = sizeof(Waiter) + sizeof(OpenFile*);
        if (wanted <= k_few) return;
        run_ = frames.take_zeroed(static_cast<u32>(page_up(wanted * k_each) >> k_page_bits));
        if (run_.count == 0) return;
        most_ = static_cast<u32>(run_.count * k_page / k_each);
        waiters_ = linear<Waiter>(run_.first);
        files_ = linear<OpenFile*>(run_.first + most_ * sizeof(Waiter));
    }
    ~Places() {
        if (run_.count != 0) frames.release(run_.first, run_.count);
    }
    Places(Places const&) = delete;
    Places& operator=(Places const&) = delete;

    Waiter* waiters() { return waiters_; }
    OpenFile** files() { return files_; }
    u32 most() const { return most_; }

private:
    Waiter few_waiters_[k_few];
    OpenFile* few_files_[k_few];
    Waiter* waiters_ = few_waiters_;
    OpenFile** files_ = few_files_;
    u32 most_ = k_few;
    FrameRun run_;
};

} // namespace

Result wait_ready(Scan scan, void* context, u32 queues, u64 deadline) {
    {
        Poller nobody(nullptr, nullptr, 0); // first without any of the effort
        if (Result const result = scan(context, nobody); result != 0 || deadline == 0)
            return result;
    }
    constexpr u64 k_glance = 10'000'000; // ns: how often to look when there was no room to wait
    Places places(queues);
    for (;;) {
        Poller poller(places.waiters(), places.files(), places.most());
        if (Result const result = scan(context, poller); result != 0) return result;
        u64 const now = clock::monotonic_ns();
        if (deadline <= now) return 0;
        u64 const until = poller.missed() ? smaller(deadline, now + k_glance) : deadline;
        if (block(poller.waiters(), poller.count(), until) == Woken::signal)
            return -k_restart_unhandled;
    }
}

namespace {

struct TimeSpec {
    i64 seconds, nanoseconds;
};

// The moment that lies `address`'s struct timespec (or timeval, with 1000 ns to its unit) ahead.
Result deadline_of(UserAddr address, u64 unit_ns, u64& deadline) {
    deadline = k_never;
    if (address == 0) return 0;
    TimeSpec wait;
    if (Result const result = get_user(wait, address); result != 0) return result;
    auto const fraction = static_cast<u64>(wait.nanoseconds) * unit_ns;
    if (wait.seconds < 0 || wait.nanoseconds < 0) return -EINVAL;
    if (unit_ns == 1 && fraction >= k_second) return -EINVAL;
    auto const seconds = static_cast<u64>(wait.seconds);
    if (seconds > k_never / k_second / 4) return 0;
    u64 const ns = seconds * k_second + fraction;
    deadline = ns == 0 ? 0 : clock::monotonic_ns() + ns;
    return 0;
}

struct PollEntry {
    int fd;
    std::uint16_t events, revents;
};

struct PollCall {
    UserAddr entries;
    u64 count;
};

Result scan_poll(void* context, Poller& poller) {
    auto const& call = *static_cast<PollCall*>(context);
    FileTable& files = current().files();
    Result ready = 0;
    for (u64 i = 0; i < call.count; ++i) {
        UserAddr const at = call.entries + i * sizeof(PollEntry);
        PollEntry entry;
        if (Result const result = get_user(entry, at); result != 0) return result;
        u32 found = 0;
        if (entry.fd >= 0) {
            OpenFile* const file = files.at(static_cast<u32>(entry.fd));
            found = file != nullptr ? poll_file(*file, poller) : k_poll_invalid;
            found &= entry.events | k_poll_error | k_poll_hangup | k_poll_invalid;
        }
        if (found != 0) ++ready;
        auto const revents = static_cast<std::uint16_t>(found);
        if (Result const result = put_user(at + offsetof(PollEntry, revents), revents); result != 0)
            return result;
    }
    return ready;
}

Result poll_until(UserAddr entries, u64 count, u64 deadline) {
    if (count > FileTable::k_files) return -EINVAL;
    PollCall call{entries, count};
    return wait_ready(scan_poll, &call, static_cast<u32>(count), deadline);
}

Result poll_again(u64 const (&argument)[4]) {
    Result const result = poll_until(argument[0], argument[1], argument[2]);
    return result == -k_restart_unhandled ? -k_restart_remainder : result;
}

constexpr u32 k_set_words = FileTable::k_files / 64;

// The three sets of select(2): what is asked for, and what was found.
struct SelectCall {
    u32 words = 0;
    u64 asked[3][k_set_words];
    u64 found[3][k_set_words];
};

Result scan_select(void* context, Poller& poller) {
    auto& call = *static_cast<SelectCall*>(context);
    constexpr u32 k_means[3] = {k_poll_in | k_poll_hangup | k_poll_error, k_poll_out | k_poll_error,
                                2 /* POLLPRI */};
    FileTable& files = current().files();
    Result ready = 0;
    for (u32 word = 0; word < call.words; ++word) {
        u64 const any = call.asked[0][word] | call.asked[1][word] | call.asked[2][word];
        for (u32 set = 0; set < 3; ++set)
            call.found[set][word] = 0;
        for (u32 bit = 0; bit < 64 && any >> bit != 0; ++bit) {
            if ((any >> bit & 1) == 0) continue;
            OpenFile* const file = files.at(word * 64 + bit);
            if (file == nullptr) return -EBADF;
            u32 const mask = poll_file(*file, poller);
            for (u32 set = 0; set < 3; ++set) {
                if ((call.asked[set][word] >> bit & 1) == 0 || (mask & k_means[set]) == 0) continue;
                call.found[set][word] |= 1ull << bit;
                ++ready;
            }
        }
    }
    return ready;
}

Result select_until(u64 count, UserAddr const (&sets)[3], u64 deadline) {
    if (static_cast<int>(count) < 0) return -EINVAL;
    count = smaller<u64>(count, FileTable::k_files);
    SelectCall call;
    call.words = static_cast<u32>((count + 63) / 64);
    u64 const bytes = call.words * 8;
    for (u32 set = 0; set < 3; ++set) {
        zero_small(call.asked[set], bytes);
        if (sets[set] != 0)
            if (Result const result = copy_in(call.asked[set], sets[set], bytes); result != 0)
                return result;
        if (count % 64 != 0) call.asked[set][count / 64] &= (1ull << count % 64) - 1;
    }
    Result const ready = wait_ready(scan_select, &call, static_cast<u32>(count), deadline);
    if (ready < 0) return ready;
    for (u32 set = 0; set < 3; ++set)
        if (sets[set] != 0)
            if (Result const result = copy_out(sets[set], call.found[set], bytes); result != 0)
                return result;
    return ready;
}

// What select(2) leaves in its timeout on Linux: the time that was not slept.
void put_rest(UserAddr address, u64 unit_ns, u64 deadline) {
    if (address == 0 || deadline == k_never) return;
    u64 const now = clock::monotonic_ns();
    u64 const rest = deadline > now ? deadline - now : 0;
    TimeSpec const value{static_cast<i64>(rest / k_second),
                         static_cast<i64>(rest % k_second / unit_ns)};
    (void)put_user(address, value);
}

} // namespace

Result sys_poll(u64 entries, u64 count, u64 timeout) {
    auto const milliseconds = static_cast<int>(timeout);
    u64 deadline = k_never;
    if (milliseconds == 0) deadline = 0;
    if (milliseconds > 0)
        deadline = clock::monotonic_ns() + static_cast<u64>(milliseconds) * 1'000'000;
    Result const result = poll_until(entries, count, deadline);
    if (result != -k_restart_unhandled) return result;
    return this_thread().go_on_with(poll_again, entries, count, deadline);
}

Result sys_ppoll(u64 entries, u64 count, u64 timeout, u64 mask, u64 mask_bytes) {
    u64 deadline = 0;
    if (Result const result = deadline_of(timeout, 1, deadline); result != 0) return result;
    if (Result const result = set_temporary_mask(mask, mask_bytes); result != 0) return result;
    Result const result = poll_until(entries, count, deadline);
    put_rest(timeout, 1, deadline);
    return end_temporary_mask(result);
}

Result sys_select(u64 count, u64 in, u64 out, u64 except, u64 timeout) {
    u64 deadline = 0;
    if (Result const result = deadline_of(timeout, 1000, deadline); result != 0) return result;
    Result const result = select_until(count, {in, out, except}, deadline);
    put_rest(timeout, 1000, deadline);
    return result;
}

Result sys_pselect6(u64 count, u64 in, u64 out, u64 except, u64 timeout, u64 mask) {
    struct {
        u64 set, bytes;
    } given = {0, 8};
    if (mask != 0)
        if (Result const result = get_user(given, mask); result != 0) return result;
    u64 deadline = 0;
    if (Result const result = deadline_of(timeout, 1, deadline); result != 0) return result;
    if (Result const result = set_temporary_mask(given.set, given.bytes); result != 0)
        return result;
    Result const result = select_until(count, {in, out, except}, deadline);
    put_rest(timeout, 1, deadline);
    return end_temporary_mask(result);
}

} // namespace iso::guest
