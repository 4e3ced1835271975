#include "benchmarks/harness/strays.hpp"

#include "benchmarks/harness/processes.hpp"
#include "common/clock.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

std::vector<Process> children() {
    std::vector<Process> found = all_processes();
    std::erase_if(found, [](Process const& one) { return one.parent != ::getpid(); });
    return found;
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
        pid_t const ended = ::wait4(-1, nullptr, WNOHANG, &usage);
        if (ended > 0) {
            for (timeval const& time : {usage.ru_utime, usage.ru_stime})
                cpu_ns += static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
                          static_cast<std::uint64_t>(time.tv_usec) * 1000U;
            continue;
        }
        if (ended < 0 && errno != EINTR) return cpu_ns; // ECHILD: nothing is left
        if (monotonic_ns() >= deadline) return cpu_ns;
        ::usleep(500); // nothing is timed now; children have no common descriptor to poll
    }
}

std::vector<std::string> end_strays() {
    std::vector<std::string> names;
    for (;;) {
        siginfo_t info{};
        // WNOWAIT: look first, so that a zombie's name can still be read.
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) break; // ECHILD: all gone
        if (info.si_pid != 0) {
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
