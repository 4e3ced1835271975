#include "common/subprocess.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using iso::run_and_capture;

namespace {

constexpr std::uint64_t k_second = 1'000'000'000;
constexpr std::uint64_t k_patience = 60 * k_second; // never reached unless something hangs

iso::Finished shell(std::string const& script, std::string const& input = {},
                    std::uint64_t timeout = k_patience) {
    auto finished = run_and_capture({"/bin/sh", "-c", script}, timeout, input);
    REQUIRE(finished.has_value());
    return *finished;
}

} // namespace

TEST_CASE("both outputs and the status are captured, apart") {
    auto const finished = shell("echo out; echo err >&2; exit 3");
    CHECK(finished.out == "out\n");
    CHECK(finished.err == "err\n");
    CHECK(finished.exit_status() == 3);
    CHECK_FALSE(finished.timed_out);
}

TEST_CASE("a death by signal is 128+n") {
    CHECK(shell("kill -SEGV $$").exit_status() == 139);
    CHECK(shell("kill -KILL $$").exit_status() == 137);
}

TEST_CASE("input arrives, and its end too") {
    CHECK(shell("cat", "hello").out == "hello");
    CHECK(shell("cat").out.empty());
    CHECK(shell("cat", "").exit_status() == 0);
}

TEST_CASE("more input and output than pipes hold flows both ways") {
    std::string const big(std::size_t{3} << 20U, 'x');
    auto const finished = shell("cat", big);
    CHECK(finished.out == big);
    CHECK(finished.exit_status() == 0);
}

TEST_CASE("a child that does not read its input does no harm") {
    std::string const big(std::size_t{1} << 20U, 'x');
    CHECK(shell("exit 5", big).exit_status() == 5);
    CHECK(shell("exec <&-; echo fine", big).out == "fine\n");
    CHECK(shell("sleep 100", big, k_second / 10).timed_out);
}

TEST_CASE("what does not fit is dropped, and the child still ends") {
    auto const finished = shell("head -c 20000000 /dev/zero");
    CHECK(finished.out.size() == std::size_t{16} << 20U);
    CHECK(finished.exit_status() == 0);
}

TEST_CASE("a child that takes too long is ended with all its group") {
    auto const finished = shell("sleep 1000 & echo $!; wait", {}, k_second);
    CHECK(finished.timed_out);
    CHECK(finished.exit_status() == 124);
    pid_t const sleeper = std::stoi(finished.out);
    // Dead, or dead and not yet reaped by init: no signal can find it running.
    for (int i = 0; i < 500 && ::kill(sleeper, 0) == 0; ++i)
        ::usleep(10'000);
    CHECK(::kill(sleeper, 0) != 0);
}

TEST_CASE("a child that closes its outputs and goes on is still ended in time") {
    auto const finished = shell("exec >&- 2>&-; sleep 1000", {}, k_second / 2);
    CHECK(finished.timed_out);
}

TEST_CASE("a missing program is an error that names it") {
    auto const finished = run_and_capture({"/no/such/program"}, k_patience);
    REQUIRE_FALSE(finished.has_value());
    CHECK(finished.error().code == ENOENT);
    CHECK(finished.error().op == "spawn(/no/such/program)");
    CHECK_FALSE(run_and_capture({}, k_patience).has_value());
}

TEST_CASE("the child starts with clean signals and without our descriptors") {
    ::signal(SIGPIPE, SIG_IGN);
    auto const text = shell("kill -PIPE $$; echo survived").out;
    auto const blocked = shell("grep SigBlk /proc/self/status").out;
    ::signal(SIGPIPE, SIG_DFL);
    CHECK(text.empty());
    CHECK(blocked == "SigBlk:\t0000000000000000\n");
    int const before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(before);
    shell("true");
    int const after = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(after);
    CHECK(before == after); // and none of ours leaks
}
