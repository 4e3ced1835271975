#include "benchmarks/harness/strays.hpp"

#include "benchmarks/harness/processes.hpp"
#include "common/clock.hpp"

#include <cerrno>
#include <csignal>
#include <set>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

std::set<pid_t> g_kept; ///< there is one harness in a process, and it has one thread

std::vector<Process> children() {
    std::vector<Process> found = all_processes();
    std::erase_if(found, [](Process const& one) {
        return one.parent != ::getpid() || g_kept.contains(one.pid);
    });
    return found;
}

std::uint64_t cpu_ns_of(rusage const& usage) {
    std::uint64_t sum = 0;
    for (timeval const& time : {usage.ru_utime, usage.ru_stime})
        sum += static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
               static_cast<std::uint64_t>(time.tv_usec) * 1000U;
    return sum;
}

/// Reaps one child that has ended and is not kept; its number, 0 when none has ended yet, -1 when
/// there is no other child. wait4(2) cannot be told whom to pass over.
pid_t reap_one(rusage& usage) {
    if (g_kept.empty()) return ::wait4(-1, nullptr, WNOHANG, &usage);
    auto const others = children();
    for (Process const& one : others)
        if (::wait4(one.pid, nullptr, WNOHANG, &usage) == one.pid) return one.pid;
    if (!others.empty()) return 0;
    errno = ECHILD;
    return -1;
}

} // namespace

Result<void> become_subreaper() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return sys_error("prctl(PR_SET_CHILD_SUBREAPER)");
    return {};
}

std::uint64_t settle(std::uint64_t for_ns) {
    std::uint64_t const deadline = monotonic_ns() + for_ns;
    std::uint64_t cpu_ns = 0;
    for (;;) {
        rusage usage{};
        pid_t const ended = reap_one(usage);
        if (ended > 0) {
            cpu_ns += cpu_ns_of(usage);
            continue;
        }
        if (ended < 0 && errno != EINTR) return cpu_ns; // ECHILD: nothing is left
        if (monotonic_ns() >= deadline) return cpu_ns;
        ::usleep(500); // nothing is timed now; children have no common descriptor to poll
    }
}

KeptChildren::KeptChildren() {
    for (Process const& one : children())
        g_kept.insert(one.pid);
}

KeptChildren::~KeptChildren() {
    g_kept.clear();
}

std::vector<std::string> end_strays() {
    std::vector<std::string> names;
    for (;;) {
        siginfo_t info{};
        // WNOWAIT: look first, so that a zombie's name can still be read.
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) break; // ECHILD: all gone
        if (info.si_pid != 0 && !g_kept.contains(info.si_pid)) {
            names.push_back(read_process(info.si_pid).name + "[" + std::to_string(info.si_pid) +
                            "]");
            ::waitpid(info.si_pid, nullptr, 0);
            continue;
        }
        auto const alive = children();
        if (alive.empty()) break;
        for (Process const& one : alive) {
            ::kill(one.pid, SIGKILL);
            while (::waitpid(one.pid, nullptr, 0) < 0 && errno == EINTR) {
            }
            names.push_back(one.name + "[" + std::to_string(one.pid) + "]");
        }
    }
    return names;
}

} // namespace iso::bench
