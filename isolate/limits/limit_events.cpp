#include "isolate/limits/statistics.hpp"

#include <cstdlib>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

namespace iso::jail {

namespace {

/// The number behind `key ` in a file of such lines.
std::uint64_t number_in(std::string const& path, std::string const& key) {
    std::string const text = "\n" + read_file(path, 4096).value_or("");
    std::size_t const at = text.find("\n" + key + " ");
    return at == std::string::npos ? 0
                                   : std::strtoull(text.c_str() + at + key.size() + 2, nullptr, 10);
}

Result<void> add(int poll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) return sys_error("epoll_ctl");
    return {};
}

} // namespace

Result<LimitEvents> LimitEvents::watch(ControlGroup const& group) {
    LimitEvents events;
    events.poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!events.poll_) return sys_error("epoll_create1");
    // Both versions tell of changed counters as of a changed file (cgroup-v2.rst, "memory.events").
    events.changes_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!events.changes_) return sys_error("inotify_init1");
    TRY(add(events.poll_.get(), events.changes_.get()));
    auto look_at = [&](std::string const& path) -> Result<void> {
        if (::inotify_add_watch(events.changes_.get(), path.c_str(), IN_MODIFY) < 0)
            return sys_error("inotify_add_watch(" + path + ")");
        return {};
    };
    GroupPlace const* const pids = group.place("pids");
    GroupPlace const* const memory = group.place("memory");
    if (pids == nullptr && memory == nullptr)
        return error("events", "the jail has no group that counts memory or tasks",
                     "a jail with --memory or --pids");
    if (pids != nullptr) {
        events.pids_file_ = pids->directory() + "/pids.events";
        TRY(look_at(events.pids_file_));
        // Version 1 of Linux 6.11 and later counts refused tasks and tells nobody.
        if (!pids->v2) TRY(events.look_regularly());
    }
    if (memory != nullptr && memory->v2) {
        events.memory_file_ = memory->directory() + "/memory.events";
        TRY(look_at(events.memory_file_));
    } else if (memory != nullptr) {
        // cgroup-v1/memory.rst, "OOM Control": an eventfd is told of each time.
        events.v1_oom_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!events.v1_oom_) return sys_error("eventfd");
        events.v1_control_ = TRY(Fd::open(memory->directory() + "/memory.oom_control", O_RDONLY));
        TRY(write_file(memory->directory() + "/cgroup.event_control",
                       std::to_string(events.v1_oom_.get()) + " " +
                           std::to_string(events.v1_control_.get())));
        TRY(add(events.poll_.get(), events.v1_oom_.get()));
    }
    events.seen_refused_ = events.refused();
    events.seen_oom_ = events.out_of_memory();
    return events;
}

Result<void> LimitEvents::look_regularly() {
    timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_) return sys_error("timerfd_create");
    itimerspec every{};
    every.it_interval.tv_nsec = every.it_value.tv_nsec = 250'000'000;
    if (::timerfd_settime(timer_.get(), 0, &every, nullptr) != 0)
        return sys_error("timerfd_settime");
    return add(poll_.get(), timer_.get());
}

std::uint64_t LimitEvents::refused() const {
    return pids_file_.empty() ? 0 : number_in(pids_file_, "max");
}

std::uint64_t LimitEvents::out_of_memory() {
    if (!memory_file_.empty()) return number_in(memory_file_, "oom");
    std::uint64_t times = 0;
    if (v1_oom_ && ::read(v1_oom_.get(), &times, sizeof times) == sizeof times) v1_ooms_ += times;
    return v1_ooms_;
}

std::vector<LimitEvents::Event> LimitEvents::take() {
    char changes[4096];
    while (::read(changes_.get(), changes, sizeof changes) > 0) {
    }
    std::uint64_t rings = 0;
    if (timer_) (void)!::read(timer_.get(), &rings, sizeof rings);
    std::vector<Event> events;
    std::uint64_t const refused_now = refused();
    std::uint64_t const oom_now = out_of_memory();
    if (oom_now > seen_oom_) events.push_back({Event::Kind::out_of_memory, oom_now - seen_oom_});
    if (refused_now > seen_refused_)
        events.push_back({Event::Kind::task_refused, refused_now - seen_refused_});
    seen_oom_ = oom_now;
    seen_refused_ = refused_now;
    return events;
}

} // namespace iso::jail
