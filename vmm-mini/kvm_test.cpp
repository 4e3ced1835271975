// The whole program on a real KVM, with a guest kernel that does one thing and ends
// (testdata/test_kernel.cpp). ISO_VMM_PROGRAM, ISO_TEST_KERNEL and ISO_STATIC_PROGRAM come from
// CMake.
#include "common/clock.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/report.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "vmm-mini/backend.hpp"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <sys/wait.h>

using namespace iso;
using Catch::Matchers::Contains;

namespace {

constexpr std::uint64_t k_second = 1'000'000'000;
constexpr std::uint64_t k_limit = 60 * k_second; // a hang is a failure, not a long test

/// KVM itself; whether a guest kernel is built in does not matter here.
bool have_kvm() {
    auto const kvm = vmm::Kvm::open();
    return kvm && kvm->create_vm();
}

#define ISO_NEED_KVM()                                                                             \
    if (!have_kvm()) ISO_SKIP("kvm", "no usable /dev/kvm")

std::vector<std::string> command(std::vector<std::string> const& options,
                                 std::vector<std::string> const& guest) {
    std::vector<std::string> words{ISO_VMM_PROGRAM, "run", "--kernel", ISO_TEST_KERNEL};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", ISO_STATIC_PROGRAM});
    words.insert(words.end(), guest.begin(), guest.end());
    return words;
}

Finished run(std::vector<std::string> const& guest, std::vector<std::string> const& options = {},
             std::string const& input = {}) {
    auto finished = run_and_capture(command(options, guest), k_limit, input);
    REQUIRE(finished);
    REQUIRE_FALSE(finished->timed_out);
    return std::move(*finished);
}

} // namespace

TEST_CASE("vm: exit statuses and signals are exact") {
    ISO_NEED_KVM();
    for (int const status : {0, 1, 7, 77, 124, 255})
        CHECK(run({"exit", std::to_string(status)}).exit_status() == status);
    CHECK(run({"signal", "11"}).exit_status() == 128 + 11);
    CHECK(run({"exit", "0"}).err.empty());
}

TEST_CASE("vm: output that was never flushed is seen after any end") {
    ISO_NEED_KVM();
    CHECK(run({"say", "hello"}).out == "hello");
    CHECK(run({"triple"}).out == "before the fault\n");
    CHECK(run({"panic"}).out == "last words\n");
}

TEST_CASE("vm: large writes come out whole, stdin goes in") {
    ISO_NEED_KVM();
    CHECK(run({"flood", "50"}).out.size() == 50 * 65536);
    std::string input;
    for (int i = 0; i < 20000; ++i)
        input += std::to_string(i);
    CHECK(run({"echo"}, {}, input).out == input);
}

TEST_CASE("vm: deaths of the kernel are the engine's failure and say what happened") {
    ISO_NEED_KVM();
    struct {
        char const* verb;
        char const* words;
    } const deaths[] = {{"panic", "panic: the test asked for .[1mthis"},
                        {"triple", "triple fault"},
                        {"badend", "reported an end that does not exist"},
                        {"halt", "halted, and nothing can wake it"},
                        {"port", "port 0x80"}};
    for (auto const& death : deaths) {
        Finished const finished = run({death.verb});
        CHECK(finished.exit_status() == 125);
        CHECK_THAT(finished.err,
                   Contains(death.words) && Contains("vmm-mini: ") && Contains("; try: "));
    }
}

TEST_CASE("vm: the kernel's memory is protected as its file says") {
    ISO_NEED_KVM();
    for (char const* const verb : {"write-text", "write-module", "execute-data"}) {
        Finished const finished = run({verb});
        CHECK(finished.exit_status() == 125); // no IDT: the fault becomes a triple fault
        CHECK_THAT(finished.err, Contains("triple fault"));
    }
}

TEST_CASE("vm: hostile requests fail one by one and harm nothing") {
    ISO_NEED_KVM();
    Finished const finished = run({"hostile"});
    CHECK(finished.exit_status() ==
          0); // the number of requests with another answer than the right one
    CHECK(finished.out.empty());
}

TEST_CASE("vm: endless guests end at the timeout, whatever they are doing") {
    ISO_NEED_KVM();
    for (char const* const verb : {"loop", "spin-zero"})
        CHECK(run({verb}, {"--timeout=100ms"}).exit_status() == 124);
    Pipe const quiet = std::move(*Pipe::create()); // a read that never returns by itself
    auto words = command({"--timeout=100ms"}, {"echo"});
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, quiet.read.get(), 0);
    pid_t child = -1;
    REQUIRE(::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 124);
}

TEST_CASE("vm: signals to the engine end the guest, and the report says so") {
    ISO_NEED_KVM();
    for (int const signal : {SIGINT, SIGTERM}) {
        Pipe report = std::move(*Pipe::create());
        Pipe out = std::move(*Pipe::create());
        // A report descriptor that survives the exec, at a number that nothing else has.
        constexpr int report_fd = 9;
        auto words = command({"--report-fd=9", "--trace"}, {"loop"});
        std::vector<char*> argv;
        for (std::string& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, report.write.get(), report_fd);
        ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 2);
        pid_t child = -1;
        REQUIRE(::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) == 0);
        ::posix_spawn_file_actions_destroy(&actions);
        report.write.reset();
        ::poll(nullptr, 0,
               50); // any moment will do: before main() the signal kills, and that is 128+n, too
        REQUIRE(::kill(child, signal) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) { // it had not come to its handlers
            CHECK(WTERMSIG(status) == signal);
            continue;
        }
        CHECK(WEXITSTATUS(status) == 128 + signal);
        auto const parsed = parse_report(*read_all(report.read.get()));
        REQUIRE(parsed);
        CHECK(parsed->ended == Ended::killed);
        CHECK(parsed->signal == signal);
    }
}

TEST_CASE("vm: the report carries phases in order, counters and the backend") {
    ISO_NEED_KVM();
    TempDir const directory = std::move(*TempDir::create("vmm-report"));
    std::string const file = directory.path() + "/report";
    Fd const fd = *Fd::open(file, O_RDWR | O_CREAT, 0600);
    int const inherited = ::fcntl(fd.get(), F_DUPFD, 20); // without close-on-exec
    Finished const finished = run({"exit", "3"}, {"--report-fd=" + std::to_string(inherited)});
    ::close(inherited);
    CHECK(finished.exit_status() == 3);
    auto const report = parse_report(*read_file(file));
    REQUIRE(report);
    CHECK(report->ended == Ended::exited);
    CHECK(report->status == 3);
    CHECK(report->backend.substr(0, 3) == "kvm");
    Phases const& p = report->phases;
    REQUIRE((p.create && p.load && p.enter && p.exit && p.destroy));
    CHECK((*p.create <= *p.load && *p.load <= *p.enter && *p.enter <= *p.exit &&
           *p.exit <= *p.destroy));
    CHECK(report->counters.at("exit.io") == 1);
    CHECK(report->counters.at("doorbell.exit") == 1);
    CHECK(report->counters.count("guest.syscalls") == 1);
    CHECK(report->facts.count("cpuid.vendor") == 1);
}

TEST_CASE("vm: the guest's clock is the host's") {
    ISO_NEED_KVM();
    std::uint64_t const before = monotonic_ns();
    Finished const finished = run({"clock"});
    std::uint64_t const after = monotonic_ns();
    std::uint64_t const guest = std::stoull(finished.out);
    CHECK(before < guest);
    CHECK(guest < after);
}

TEST_CASE("vm: the timer interrupts at its moment, once, and not when it is taken back") {
    ISO_NEED_KVM();
    CHECK(run({"timer"}).exit_status() == 0);
}

TEST_CASE("vm: the guest learns of arguments, environment and files") {
    ISO_NEED_KVM();
    TempDir const directory = std::move(*TempDir::create("vmm-add"));
    Fd const created = *Fd::open(directory.path() + "/a", O_WRONLY | O_CREAT, 0644);
    REQUIRE(write_all(created.get(), "A"));
    Finished const finished =
        run({"dump", "x y"}, {"--env=A=1", "--workdir=/tmp", "--add=" + directory.path() + ":/d"});
    CHECK(finished.exit_status() == 0);
    CHECK_THAT(finished.out,
               Contains("arg x y\n") && Contains("env A=1\n") && Contains("workdir /tmp\n"));
    CHECK_THAT(finished.out, Contains("module 2 0 /d \n") && Contains("module 1 1 /d/a 65\n"));
}

TEST_CASE("vm: --memory is what the guest gets, and limits are explained") {
    ISO_NEED_KVM();
    CHECK(run({"ram"}, {"--memory=16M"}).out == "16777216\n");
    Finished const small = run({"ram"}, {"--memory=1M"});
    CHECK(small.exit_status() == 125);
    CHECK_THAT(small.err, Contains("--memory") && Contains("8M or more"));
    Finished const large = run({"ram"}, {"--memory=4T"});
    CHECK(large.exit_status() == 125);
    CHECK_THAT(large.err, Contains("--memory"));
}

TEST_CASE("vm: a write to a reader that has gone is the program's EPIPE, not the engine's death") {
    ISO_NEED_KVM();
    Pipe out = std::move(*Pipe::create());
    auto words = command({}, {"flood", "100"});
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    pid_t child = -1;
    REQUIRE(::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    out.write.reset();
    char byte = 0;
    REQUIRE(::read(out.read.get(), &byte, 1) == 1);
    out.read.reset();
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == EPIPE);
}

TEST_CASE("vm: explanations, traces and statistics go to stderr alone") {
    ISO_NEED_KVM();
    Finished const explained = run({"say", "x"}, {"--explain"});
    CHECK(explained.out == "x");
    CHECK_THAT(explained.err, Contains("created a VM") && Contains("confined this process"));
    Finished const traced = run({"say", "x"}, {"--trace"});
    CHECK(traced.out == "x");
    CHECK_THAT(traced.err, Contains("exit io out port 0x500 doorbell exit"));
    Finished const counted = run({"say", "x"}, {"--stats"});
    CHECK(counted.out == "x");
    CHECK_THAT(counted.err, Contains("exit.io"));
    CHECK_THAT(run({"say", "x"}, {"--stats=json"}).err, Contains("\"doorbell.exit\":1"));
}

TEST_CASE("vm: programs that cannot run are refused before a machine is built") {
    auto const status = [](std::string const& program) {
        auto const finished = run_and_capture({ISO_VMM_PROGRAM, "run", "--", program}, k_limit);
        return finished->exit_status();
    };
    CHECK(status("/no/such/program") == 127);
    CHECK(status("no-such-program-anywhere") == 127);
    CHECK(status("/") == 126);
    CHECK(status("/etc/passwd") == 126);
    CHECK(status("/bin/sh") == 126); // dynamically linked on Debian
}
