#include "common/subprocess.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"

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
    char chunk[16384];
    ssize_t const n = ::read(fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n == 0) return false;
    text.append(chunk, std::min(static_cast<std::size_t>(n), k_capture_limit - std::min(k_capture_limit, text.size())));
    return true;
}

} // namespace

int Finished::exit_status() const {
    if (timed_out) return exit_code::timed_out;
    if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
    return exit_code::from_signal(WTERMSIG(wait_status));
}

Result<Finished> run_and_capture(std::vector<std::string> const& command, std::uint64_t timeout_ns,
                                 std::string const& input) {
    Pipe in = TRY(Pipe::create());
    Pipe out = TRY(Pipe::create());
    Pipe err = TRY(Pipe::create());

    std::vector<char*> argv;
    for (std::string const& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP); // so that all of it can be ended
    pid_t pid = -1;
    int const spawned = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (spawned != 0) {
        errno = spawned;
        return sys_error("spawn(" + command.front() + ")");
    }
    in.read.reset();
    out.write.reset();
    err.write.reset();
    if (!input.empty()) {
        auto const old = ::signal(SIGPIPE, SIG_IGN);
        (void)write_all(in.write.get(), input); // a child that does not read is its own affair
        ::signal(SIGPIPE, old);
    }
    in.write.reset();

    Finished finished;
    std::uint64_t const deadline = timeout_ns == 0 ? 0 : monotonic_ns() + timeout_ns;
    bool out_open = true;
    bool err_open = true;
    while (out_open || err_open) {
        pollfd polled[2] = {{out_open ? out.read.get() : -1, POLLIN, 0}, {err_open ? err.read.get() : -1, POLLIN, 0}};
        int wait_ms = -1;
        if (deadline != 0) {
            std::uint64_t const now = monotonic_ns();
            wait_ms = now >= deadline ? 0 : static_cast<int>(std::min<std::uint64_t>((deadline - now) / 1'000'000 + 1, 60'000));
        }
        int const ready = ::poll(polled, 2, wait_ms);
        if (ready < 0 && errno != EINTR) return sys_error("poll");
        if (ready == 0 && deadline != 0 && monotonic_ns() >= deadline) {
            finished.timed_out = true;
            ::kill(-pid, SIGKILL);
            break;
        }
        if (ready <= 0) continue;
        if (polled[0].revents != 0) out_open = drain(out.read.get(), finished.out);
        if (polled[1].revents != 0) err_open = drain(err.read.get(), finished.err);
    }
    while (::waitpid(pid, &finished.wait_status, 0) < 0 && errno == EINTR) {}
    return finished;
}

} // namespace iso
