#include "common/subprocess.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/pidfd.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <sys/wait.h>

extern char** environ;

namespace iso {

namespace {

constexpr std::size_t k_capture_limit = std::size_t{16} << 20U;

/// Appends what is readable; returns false at the end of the file.
bool drain(int fd, std::string& text) {
    char chunk[65536];
    ssize_t const n = ::read(fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n == 0) return false;
    std::size_t const room = k_capture_limit - std::min(k_capture_limit, text.size());
    text.append(chunk, std::min(static_cast<std::size_t>(n), room));
    return true;
}

/// Writes what the pipe takes; returns false when there is nothing left to do. A child that does
/// not read its stdin is its own affair, and its SIGPIPE must not be ours.
bool feed(int fd, std::string_view& rest) {
    sigset_t pipe_signal;
    sigset_t old;
    sigset_t pending;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigpending(&pending);
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
    ssize_t const n = ::write(fd, rest.data(), rest.size());
    int const code = errno;
    if (n < 0 && code == EPIPE && ::sigismember(&pending, SIGPIPE) == 0) {
        timespec const now{};
        ::sigtimedwait(&pipe_signal, nullptr, &now);
    }
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    if (n < 0) return code == EINTR || code == EAGAIN;
    rest.remove_prefix(static_cast<std::size_t>(n));
    return !rest.empty();
}

/// Starts `command` as the leader of its own process group, with clean signals.
Result<pid_t> spawn(std::vector<std::string> const& command, int in, int out, int err) {
    std::vector<char*> argv;
    for (std::string const& word : command)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::sigaddset(&defaults, SIGINT);
    ::sigaddset(&defaults, SIGQUIT);
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, in, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, 1);
    ::posix_spawn_file_actions_adddup2(&actions, err, 2);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    int const spawned = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (spawned == 0) return pid;
    errno = spawned;
    return sys_error("spawn(" + command.front() + ")");
}

/// Milliseconds for poll(2) until the deadline, rounded up; -1 when there is none.
int until(std::uint64_t deadline) {
    if (deadline == 0) return -1;
    std::uint64_t const now = monotonic_ns();
    if (now >= deadline) return 0;
    return static_cast<int>(std::min<std::uint64_t>((deadline - now) / 1'000'000 + 1, 60'000));
}

} // namespace

int Finished::exit_status() const {
    if (timed_out) return exit_code::timed_out;
    if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
    return exit_code::from_signal(WTERMSIG(wait_status));
}

Result<Finished> run_and_capture(std::vector<std::string> const& command, std::uint64_t timeout_ns,
                                 std::string const& input) {
    if (command.empty()) return error("spawn", "no command");
    Pipe in = TRY(Pipe::create());
    Pipe out = TRY(Pipe::create());
    Pipe err = TRY(Pipe::create());
    if (::fcntl(in.write.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl(O_NONBLOCK)");

    pid_t const pid = TRY(spawn(command, in.read.get(), out.write.get(), err.write.get()));
    in.read.reset();
    out.write.reset();
    err.write.reset();
    auto const child = Pidfd::open(pid); // readable once the child has ended (pidfd_open(2))

    Finished finished;
    std::uint64_t const deadline = timeout_ns == 0 ? 0 : monotonic_ns() + timeout_ns;
    std::string_view rest = input;
    if (rest.empty()) in.write.reset();
    bool running = child.has_value();
    while (out.read || err.read || running) {
        // A negative descriptor is skipped by poll(2).
        pollfd polled[4] = {{out.read.get(), POLLIN, 0},
                            {err.read.get(), POLLIN, 0},
                            {in.write.get(), POLLOUT, 0},
                            {running ? child->get() : -1, POLLIN, 0}};
        int const ready = ::poll(polled, 4, until(deadline));
        if (ready < 0 && errno != EINTR) {
            ::kill(-pid, SIGKILL);
            break;
        }
        if (deadline != 0 && monotonic_ns() >= deadline) {
            finished.timed_out = true;
            ::kill(-pid, SIGKILL);
            break;
        }
        if (ready <= 0) continue;
        if (polled[0].revents != 0 && !drain(out.read.get(), finished.out)) out.read.reset();
        if (polled[1].revents != 0 && !drain(err.read.get(), finished.err)) err.read.reset();
        if (polled[2].revents != 0 && !feed(in.write.get(), rest)) in.write.reset();
        if (polled[3].revents != 0) running = false;
    }
    while (::waitpid(pid, &finished.wait_status, 0) < 0 && errno == EINTR) {
    }
    return finished;
}

} // namespace iso
