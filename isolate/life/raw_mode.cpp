#include "isolate/life/raw_mode.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

[[noreturn]] void guard_terminal(int pipe, int terminal, termios const& before) {
    sigset_t all; // SIGTTOU too, which would stop a background process that sets a terminal
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::prctl(PR_SET_NAME, "isolate-tty");
    if (::dup2(terminal, 0) != 0 || ::dup2(pipe, 1) != 1) ::_exit(1);
    ::close_range(2, ~0U, 0);
    char byte = 0;
    ssize_t got = 0;
    do
        got = ::read(1, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 0) ::tcsetattr(0, TCSANOW, &before); // without a word: it was killed
    ::_exit(0);
}

} // namespace

Result<void> RawMode::enter(int terminal) {
    if (::tcgetattr(terminal, &before_) != 0) return {}; // a pipe or a file
    Pipe pipe = TRY(Pipe::create());
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
        pipe.write.reset();
        guard_terminal(pipe.read.get(), terminal, before_);
    }
    guard_ = pid;
    alive_ = std::move(pipe.write);
    terminal_ = terminal;
    termios raw = before_;
    ::cfmakeraw(&raw);
    if (::tcsetattr(terminal, TCSANOW, &raw) != 0) return sys_error("tcsetattr(raw)");
    return {};
}

void RawMode::restore() {
    if (terminal_ < 0) return;
    ::tcsetattr(terminal_, TCSANOW, &before_);
    terminal_ = -1;
    (void)!::write(alive_.get(), "d", 1);
    alive_.reset();
    while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace iso::jail
