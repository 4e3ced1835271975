// The battery of `isolate audit`: escape and leak attempts, made from inside of a jail. None of
// them harms what is outside, where it succeeds either.
//
//   battery probe [FACT...]   one line for each attempt, for a program
//   battery [FACT...]         the same for a person
//   battery stay              on the host: what is to be found, as FACTs on one line
#include "isolate/audit/battery/attempts.hpp"
#include "isolate/audit/battery/facts.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

using namespace iso::battery;
using iso::jail::Check;

constexpr int k_patience_ms = 10'000; ///< for one attempt

[[noreturn]] void attempt(Check const& check, int answer) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Attempt const function = attempt_of(check.id);
    Finding const found = function();
    (void)!::write(answer, &found, sizeof found);
    ::_exit(0);
}

/// The attempt in a process of its own, which may end by the attempt.
Finding make_attempt(Check const& check) {
    int answer[2];
    if (::pipe2(answer, O_CLOEXEC) != 0) return {};
    pid_t const child = ::fork();
    if (child == 0) {
        ::close(answer[0]);
        attempt(check, answer[1]);
    }
    int const error = errno;
    ::close(answer[1]);
    Finding found;
    if (child < 0) {
        std::snprintf(found.detail, sizeof found.detail, "fork: %s", std::strerror(error));
        ::close(answer[0]);
        return found;
    }
    // The end of the pipe is the end of it and of all that it started.
    pollfd waited{answer[0], POLLIN, 0};
    bool const in_time = ::poll(&waited, 1, k_patience_ms) == 1;
    ssize_t const n = in_time ? ::read(answer[0], &found, sizeof found) : -1;
    ::kill(child, SIGKILL); // one that has answered has nothing else to do
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(answer[0]);
    if (n == static_cast<ssize_t>(sizeof found)) {
        found.detail[sizeof found.detail - 1] = '\0';
        return found;
    }
    found = {};
    if (!in_time) {
        std::snprintf(found.detail, sizeof found.detail, "no end after %d s", k_patience_ms / 1000);
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        found = held(By::seccomp, "SIGSYS");
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV &&
               std::strcmp(check.id, "i386-calls") == 0) {
        found = not_here("this kernel has no i386 table");
    } else {
        std::snprintf(found.detail, sizeof found.detail, "ended with wait status %d", status);
    }
    return found;
}

void tell_program(Check const& check, Finding const& found) {
    std::printf("%s\t%s\t%s\t%s\n", check.id,
                iso::jail::k_state_names[static_cast<int>(found.state)],
                iso::jail::k_by_names[static_cast<int>(found.by)], found.detail);
}

void tell_person(Check const& check, Finding const& found) {
    std::printf("%-22s %-15s %-18s %s\n", check.id,
                found.state == State::open
                    ? "OPEN"
                    : iso::jail::k_state_names[static_cast<int>(found.state)],
                iso::jail::k_by_names[static_cast<int>(found.by)], found.detail);
}

int usage() {
    std::fputs(
        "usage: battery [probe] [FACT...] | battery stay\n"
        "FACTs are what `battery stay` prints; without them the attempts to reach the host's\n"
        "processes, files and sockets cannot be made\n",
        stderr);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    look_at_start();
    int first = 1;
    bool const stays = argc == 2 && std::strcmp(argv[1], "stay") == 0;
    if (stays) return stay_to_be_found();
    bool const for_program = argc > 1 && std::strcmp(argv[1], "probe") == 0;
    if (for_program) ++first;
    for (int i = first; i < argc; ++i)
        if (!take_fact(argv[i])) return usage();
    int open = 0;
    for (Check const& check : iso::jail::checks()) {
        Finding const found = make_attempt(check);
        for_program ? tell_program(check, found) : tell_person(check, found);
        std::fflush(stdout);
        if (found.state == State::open || found.state == State::unknown) ++open;
    }
    if (for_program) {
        std::printf("end\t%zu\n", iso::jail::checks().size());
    } else {
        std::printf("%d open\n", open);
    }
    std::fflush(stdout);
    return for_program ? 0 : open != 0;
}
