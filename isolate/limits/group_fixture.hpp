#pragma once

#include "common/clock.hpp"
#include "common/mapping.hpp"
#include "isolate/limits/statistics.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <poll.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::jail::test {

inline constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;

/// A child that does something once it is in its group.
class Member {
public:
    explicit Member(std::function<int()> work) {
        Pipe pipe = *Pipe::create();
        pid_ = ::fork();
        if (pid_ == 0) {
            pipe.write.reset();
            char byte = 0;
            if (::read(pipe.read.get(), &byte, 1) != 1) ::_exit(99);
            ::_exit(work());
        }
        go_ = std::move(pipe.write);
    }
    ~Member() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }
    Member(Member const&) = delete;
    Member& operator=(Member const&) = delete;

    void go() { REQUIRE(::write(go_.get(), "g", 1) == 1); }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
    Fd go_;
};

/// Makes a group of the limits and hands it to the test, or says what is lacking here.
inline void with_group(LimitSpec limits, std::function<void(ControlGroup&)> const& test,
                       GroupOptions options = {}) {
    for (GroupBackendKind const kind : {GroupBackendKind::direct, GroupBackendKind::libcgroup}) {
        INFO(to_string(kind));
        options.backend = kind;
        auto plan = plan_group(limits, options);
        REQUIRE(plan);
        for (Unenforced const& limit : plan->unenforced)
            ISO_SKIP("cgroup", to_string(limit));
        auto group = ControlGroup::create(*plan, options, true);
        if (!group) FAIL(group.error().message());
        std::vector<std::string> directories;
        for (GroupPlace const& place : group->places())
            directories.push_back(place.directory());
        test(*group);
        auto const removed = group->remove();
        if (!removed) FAIL_CHECK(removed.error().message());
        for (std::string const& directory : directories) {
            INFO(directory);
            CHECK_FALSE(is_there(directory));
        }
    }
}

inline LimitSpec usual_limits() {
    LimitSpec limits;
    limits.memory = 64 * k_mib;
    limits.swap = 0;
    limits.tasks = 20;
    limits.cpu_shares = 512;
    limits.cpu_quota_us = 50000;
    limits.cpus = "0";
    return limits;
}

inline std::vector<LimitEvents::Event> next_events(LimitEvents& events) {
    std::vector<LimitEvents::Event> told;
    for (int looks = 0; looks < 100 && told.empty(); ++looks) {
        pollfd polled{events.fd(), POLLIN, 0};
        if (::poll(&polled, 1, 30'000) != 1) break;
        told = events.take();
    }
    return told;
}

inline int forever() {
    for (;;)
        ::pause();
}

} // namespace iso::jail::test
