#include "benchmarks/harness/strays.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <dirent.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

struct Process {
    pid_t parent = -1;
    std::string name;
};

/// Reads the name and the parent of a process. The name may contain anything, parentheses
/// included, so it ends at the last one (proc_pid_stat(5)).
Process read_stat(std::string const& pid) {
    auto const text = read_file("/proc/" + pid + "/stat");
    if (!text) return {};
    auto const open = text->find('(');
    auto const close = text->rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > text->size())
        return {};
    Process process;
    process.name = text->substr(open + 1, close - open - 1);
    std::from_chars(text->data() + close + 4, text->data() + text->size(), process.parent);
    return process;
}

std::vector<std::pair<pid_t, std::string>> children() {
    std::vector<std::pair<pid_t, std::string>> found;
    DIR* const directory = ::opendir("/proc");
    if (directory == nullptr) return found;
    while (dirent const* const entry = ::readdir(directory)) {
        std::string const name = entry->d_name;
        pid_t pid = -1;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{})
            continue;
        Process const process = read_stat(name);
        if (process.parent == ::getpid()) found.emplace_back(pid, process.name);
    }
    ::closedir(directory);
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
            names.push_back(read_stat(std::to_string(info.si_pid)).name + "[" +
                            std::to_string(info.si_pid) + "]");
            ::waitpid(info.si_pid, nullptr, 0);
            continue;
        }
        auto const alive = children();
        if (alive.empty()) break;
        for (auto const& [pid, name] : alive) {
            ::kill(pid, SIGKILL);
            while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
            names.push_back(name + "[" + std::to_string(pid) + "]");
        }
    }
    return names;
}

} // namespace iso::bench
