#include "tests/support/launch.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/pidfd.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <poll.h>
#include <spawn.h>
#include <thread>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

extern char** environ;

namespace iso::test {

namespace {

[[noreturn]] void give_up(char const* what) {
    std::perror(what);
    std::abort();
}

template <typename T>
T must(Result<T> result) {
    if (!result) {
        print_error("launch", result.error());
        std::abort();
    }
    return std::move(*result);
}

/// Text that one thread appends to while another looks.
class Collected {
public:
    void read_from(int fd) {
        char chunk[65536];
        for (;;) {
            ssize_t const n = ::read(fd, chunk, sizeof chunk);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return;
            std::lock_guard const lock(mutex_);
            text_.append(chunk, static_cast<std::size_t>(n));
        }
    }
    bool contains(std::string const& part) {
        std::lock_guard const lock(mutex_);
        return text_.find(part) != std::string::npos;
    }
    std::string take() {
        std::lock_guard const lock(mutex_);
        return std::move(text_);
    }

private:
    std::mutex mutex_;
    std::string text_;
};

/// "PID (NAME) STATE" of every child this process has, from /proc/PID/stat (proc(5)).
std::vector<std::pair<pid_t, std::string>> children() {
    std::vector<std::pair<pid_t, std::string>> found;
    for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
        std::string const name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        auto const stat = read_file(entry.path().string() + "/stat");
        if (!stat) continue; // it ended meanwhile
        auto const after_name = stat->rfind(')');
        if (after_name == std::string::npos) continue;
        if (std::atoi(stat->c_str() + after_name + 4) != ::getpid()) continue;
        found.emplace_back(std::stoi(name), stat->substr(0, after_name + 3));
    }
    return found;
}

/// Ends and reaps every process that was left to us, and says which they were.
std::vector<std::string> end_strays() {
    std::vector<std::string> seen;
    for (int round = 0; round < 100; ++round) { // what dies hands us its own children
        auto const left = children();
        if (left.empty()) break;
        for (auto const& [pid, text] : left) {
            seen.push_back(text);
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    }
    return seen;
}

pid_t spawn(Launch const& launch, int in, int out, int err, int report) {
    std::vector<char*> argv;
    for (std::string const& word : launch.command)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> variables;
    if (launch.environment)
        for (std::string const& variable : *launch.environment)
            variables.push_back(const_cast<char*>(variable.c_str()));
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    for (int const signal : {SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGHUP})
        ::sigaddset(&defaults, signal);
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (launch.out == Launch::Out::closed)
        ::posix_spawn_file_actions_addclose(&actions, 1);
    else
        ::posix_spawn_file_actions_adddup2(&actions, out, 1);
    ::posix_spawn_file_actions_adddup2(&actions, err, 2);
    ::posix_spawn_file_actions_adddup2(&actions, report, k_report_fd);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    int const failure = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(),
                                       launch.environment ? variables.data() : environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        errno = failure;
        give_up(argv[0]);
    }
    return pid;
}

/// Waits for the end of the program, sends the signal when its moment has come, and kills what
/// outlives the test's patience. Returns whether that was needed.
bool watch(Launch const& launch, pid_t pid, std::uint64_t began, Collected& out) {
    Pidfd const process = must(Pidfd::open(pid));
    bool signal_due = launch.signal != 0;
    for (;;) {
        pollfd polled{process.get(), POLLIN, 0};
        if (::poll(&polled, 1, signal_due ? 1 : 50) == 1) return false;
        std::uint64_t const passed = monotonic_ns() - began;
        if (signal_due && passed >= launch.signal_after_ns &&
            (launch.signal_after_output.empty() || out.contains(launch.signal_after_output))) {
            signal_due = false;
            ::kill(launch.to_group ? -pid : pid, launch.signal);
        }
        if (passed < launch.patience_ns) continue;
        ::kill(-pid, SIGKILL);
        return true;
    }
}

} // namespace

Ran launch(Launch const& launch) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGPIPE, SIG_IGN);
    Pipe in = must(Pipe::create());
    Pipe out = must(Pipe::create());
    Pipe err = must(Pipe::create());
    Pipe report = must(Pipe::create());
    Fd const full = must(Fd::open("/dev/full", O_WRONLY));
    if (launch.out == Launch::Out::broken) out.read.reset();

    Ran ran;
    ran.began_ns = monotonic_ns();
    pid_t const pid =
        spawn(launch, in.read.get(), launch.out == Launch::Out::full ? full.get() : out.write.get(),
              err.write.get(), report.write.get());
    in.read.reset();
    out.write.reset();
    err.write.reset();
    report.write.reset();

    Collected out_text;
    Collected err_text;
    Collected report_text;
    std::thread readers[] = {std::thread([&] {
                                 if (out.read) out_text.read_from(out.read.get());
                             }),
                             std::thread([&] { err_text.read_from(err.read.get()); }),
                             std::thread([&] { report_text.read_from(report.read.get()); }),
                             std::thread([&] {
                                 (void)write_all(in.write.get(), launch.input);
                                 in.write.reset();
                             })};
    ran.hung = watch(launch, pid, ran.began_ns, out_text);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    ran.ended_ns = monotonic_ns();
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : exit_code::from_signal(WTERMSIG(status));
    // Those that were killed die in their own time (a pid namespace after its init).
    bool const was_killed = ran.hung || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (int i = 0; was_killed && i < 250 && !children().empty(); ++i) {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        ::usleep(20'000);
    }
    ran.strays = end_strays(); // before the readers end: a stray may hold their pipes
    for (std::thread& reader : readers)
        reader.join();
    ran.out = out_text.take();
    ran.err = err_text.take();
    ran.report = report_text.take();
    return ran;
}

} // namespace iso::test
