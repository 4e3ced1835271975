#pragma once

#include "guest/kernel/file.hpp"
#include "guest/kernel/wait_queue.hpp"

namespace iso::guest {

// What a file is ready for: POLLIN and so on, the same numbers as EPOLLIN and so on.
inline constexpr u32 k_poll_in = 0x001;
inline constexpr u32 k_poll_out = 0x004;
inline constexpr u32 k_poll_error = 0x008;
inline constexpr u32 k_poll_hangup = 0x010;
inline constexpr u32 k_poll_invalid = 0x020;
inline constexpr u32 k_poll_plain = 0x145; // IN OUT RDNORM WRNORM: regular files

/// Collects the queues that somebody who asks many files has to sleep on, and keeps their files.
class Poller {
public:
    Poller(Waiter* waiters, OpenFile** files, u32 most)
        : waiters_(waiters)
        , files_(files)
        , most_(most) {}
    ~Poller() {
        for (u32 i = 0; i < count_; ++i)
            drop_file(files_[i]);
    }
    Poller(Poller const&) = delete;
    Poller& operator=(Poller const&) = delete;

    void wait_on(OpenFile& file, WaitQueue& queue) {
        if (count_ == most_) {
            missed_ = true;
            return;
        }
        ++file.references; // another thread may close it
        files_[count_] = &file;
        waiters_[count_++].queue = &queue;
    }
    Waiter* waiters() const { return waiters_; }
    u32 count() const { return count_; }
    /// There was no room for a queue.
    bool missed() const { return missed_; }

private:
    Waiter* waiters_;
    OpenFile** files_;
    u32 most_;
    u32 count_ = 0;
    bool missed_ = false;
};

inline u32 poll_file(OpenFile& file, Poller& poller) {
    return file.operations->poll != nullptr ? file.operations->poll(file, poller) : k_poll_plain;
}

/// Calls `scan(context, poller)` until it returns something else than 0, an interesting queue being
/// woken in between, until the deadline. The deadline: 0; a signal: -k_restart_unhandled. `queues`:
/// about how many there are.
using Scan = Result (*)(void* context, Poller& poller);
Result wait_ready(Scan scan, void* context, u32 queues, u64 deadline);

/// Removes a file that is about to vanish from the epoll sets that watch it.
void forget_watched(OpenFile& file);

} // namespace iso::guest
