#include "isolate/life/process.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <sys/wait.h>

using namespace iso;
using namespace iso::jail;

TEST_CASE("a process is known by its id and its start time") {
    auto const self = identify(::getpid());
    REQUIRE(self);
    CHECK(self->start_time != 0);
    CHECK(is_alive(*self));
    CHECK(open_process(*self));

    ProcessId reused = *self; // the id is in use, by somebody who started at another time
    ++reused.start_time;
    CHECK_FALSE(is_alive(reused));
    auto const opened = open_process(reused);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ESRCH);
    CHECK_FALSE(is_alive(ProcessId{}));
    CHECK_FALSE(identify(0));
    CHECK_FALSE(identify(-1));
}

TEST_CASE("what is left of a process that has ended does not count as it") {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    CHECK_FALSE(identify(child)); // a zombie now, not yet reaped
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK_FALSE(identify(child));
}

TEST_CASE("waiting for the end of a process ends with it, or with its time") {
    pid_t const child = ::fork();
    if (child == 0)
        for (;;)
            ::pause();
    auto const id = identify(child);
    REQUIRE(id);
    auto const handle = open_process(*id);
    REQUIRE(handle);
    CHECK(wait_for_end(*handle, 1'000'000).value() == false);
    REQUIRE(handle->send(SIGKILL));
    CHECK(wait_for_end(*handle, 0).value() == true);
    CHECK_FALSE(is_alive(*id));
    ::waitpid(child, nullptr, 0);
}
