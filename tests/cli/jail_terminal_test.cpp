// A jail's own terminal (-t), seen from the terminal of whoever started it.
#include "common/fd.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using Words = std::vector<std::string>;

std::string const k_isolate = ISO_BIN_DIR "/isolate";
std::string const k_busybox = "/bin/busybox";

bool usable() {
    auto const probe = run_and_capture({k_isolate, "probe"}, 20'000'000'000);
    REQUIRE(probe);
    if (probe->exit_status() != 0) iso::test::record_skip("userns", probe->out);
    if (::access(k_busybox.c_str(), X_OK) != 0) {
        iso::test::record_skip("busybox", k_busybox + " is missing (package busybox-static)");
        return false;
    }
    return probe->exit_status() == 0;
}

/// A person's terminal, with a command on it.
class Person {
public:
    Person() {
        keyboard_ = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(keyboard_);
        REQUIRE(::grantpt(keyboard_.get()) == 0);
        REQUIRE(::unlockpt(keyboard_.get()) == 0);
        char name[64];
        REQUIRE(::ptsname_r(keyboard_.get(), name, sizeof name) == 0);
        screen_ = Fd::open(name, O_RDWR | O_NOCTTY).value();
        resize(33, 77);
        before_ = mode();
    }
    ~Person() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    }
    Person(Person const&) = delete;
    Person& operator=(Person const&) = delete;

    void call(Words const& words) {
        std::vector<char*> argv;
        for (std::string const& word : words)
            argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setsid();
            ::ioctl(screen_.get(), TIOCSCTTY, 0);
            for (int fd = 0; fd < 3; ++fd)
                ::dup2(screen_.get(), fd);
            ::execv(argv[0], argv.data());
            ::_exit(99);
        }
    }
    void type(std::string const& text) { REQUIRE(write_all(keyboard_.get(), text)); }
    void resize(unsigned short rows, unsigned short columns) {
        winsize const size{rows, columns, 0, 0};
        REQUIRE(::ioctl(keyboard_.get(), TIOCSWINSZ, &size) == 0);
    }
    /// Reads the screen until this is on it.
    void expect(std::string const& text) {
        while (seen_.find(text) == std::string::npos) {
            pollfd polled{keyboard_.get(), POLLIN, 0};
            INFO("waiting for '" << text << "', on the screen is: " << seen_);
            REQUIRE(::poll(&polled, 1, 60'000) == 1);
            char chunk[4096];
            ssize_t const n = ::read(keyboard_.get(), chunk, sizeof chunk);
            REQUIRE(n > 0);
            seen_.append(chunk, static_cast<std::size_t>(n));
        }
        seen_.erase(0, seen_.find(text) + text.size());
    }
    int end() {
        int status = 0;
        REQUIRE(::waitpid(pid_, &status, 0) == pid_);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    void kill() const { REQUIRE(::kill(pid_, SIGKILL) == 0); }
    [[nodiscard]] tcflag_t mode() const {
        termios now{};
        REQUIRE(::tcgetattr(screen_.get(), &now) == 0);
        return now.c_lflag;
    }
    /// Waits until the terminal is as it was before.
    void expect_restored() {
        CHECK(iso::test::eventually([this] { return mode() == before_; }));
    }

private:
    Fd keyboard_, screen_;
    tcflag_t before_ = 0;
    std::string seen_;
    pid_t pid_ = -1;
};

} // namespace

TEST_CASE("-t gives the program a terminal of the jail's own") {
    if (!usable()) return;
    TempDir const state = TempDir::create("tty").value();
    Person person;
    person.call({k_isolate, "--state", state.path(), "run", "-t", "--name", "tty", "--", k_busybox,
                 "sh", "-c",
                 "tty; stty size; trap 'stty size; exit 9' WINCH; read line; echo got $line; echo "
                 "ready; while :; do sleep 0.1; done"});
    person.expect("/dev/pts/0"); // of the jail's /dev/pts, which has no other
    person.expect("33 77");
    CHECK((person.mode() & ICANON) == 0); // raw: every key is the jail's
    person.type("hello\r");
    person.expect("got hello");
    person.expect("ready");
    person.resize(44, 88);
    person.expect("44 88");
    CHECK(person.end() == 9);
    person.expect_restored();
}

TEST_CASE("Ctrl-C on a jail's terminal is for the program") {
    if (!usable()) return;
    TempDir const state = TempDir::create("tty").value();
    Person person;
    person.call({k_isolate, "--state", state.path(), "run", "-t", "--", k_busybox, "sh", "-c",
                 "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done"});
    person.expect("ready");
    person.type("\x03");
    person.expect("caught");
    CHECK(person.end() == 5);
    person.expect_restored();
}

TEST_CASE("the caller's terminal is given back even when isolate is killed") {
    if (!usable()) return;
    TempDir const state = TempDir::create("tty").value();
    Person person;
    person.call({k_isolate, "--state", state.path(), "run", "-t", "--", k_busybox, "sh", "-c",
                 "echo ready; sleep 1000"});
    person.expect("ready");
    person.kill();
    CHECK(person.end() == 137);
    person.expect_restored();
}

TEST_CASE("exec -t has a terminal in the jail, and a detached jail with one has a log") {
    if (!usable()) return;
    TempDir const state = TempDir::create("tty").value();
    Words const base{k_isolate, "--state", state.path()};
    auto with = [&](Words const& words) {
        Words all = base;
        all.insert(all.end(), words.begin(), words.end());
        return all;
    };
    auto const made = run_and_capture(with({"run", "-d", "-t", "--name", "bg", "--", k_busybox,
                                            "sh", "-c", "tty; echo logged; sleep 1000"}),
                                      60'000'000'000);
    REQUIRE(made);
    INFO(made->err);
    REQUIRE(made->exit_status() == 0);
    Person person;
    person.call(with({"exec", "-t", "bg", k_busybox, "sh", "-c", "tty; stty size; exit 4"}));
    person.expect("/dev/pts/");
    person.expect("33 77");
    CHECK(person.end() == 4);
    person.expect_restored();
    (void)run_and_capture(with({"kill", "bg", "KILL"}), 60'000'000'000);
    auto const logs = run_and_capture(with({"logs", "--follow", "bg"}), 60'000'000'000);
    REQUIRE(logs);
    CHECK(logs->out == "/dev/pts/0\r\nlogged\r\n");
    auto const gone = run_and_capture(with({"delete", "--force", "bg"}), 60'000'000'000);
    CHECK(gone->exit_status() == 0);
}

TEST_CASE("A container in the foreground has the caller's terminal, and ends with its own status") {
    if (!usable()) return;
    TempDir const place = TempDir::create("tty").value();
    std::string const bundle = place.path() + "/bundle";
    REQUIRE(::chmod(place.path().c_str(), 0755) == 0);
    for (char const* name :
         {"", "/rootfs", "/rootfs/bin", "/rootfs/proc", "/rootfs/dev", "/rootfs/sys"})
        REQUIRE(::mkdir((bundle + name).c_str(), 0755) == 0);
    REQUIRE(run_and_capture({k_busybox, "cp", k_busybox, bundle + "/rootfs/bin/sh"}, 60'000'000'000)
                ->exit_status() == 0);
    Words spec{k_isolate, "spec", "--bundle", bundle};
    if (::geteuid() != 0) spec.emplace_back("--rootless");
    REQUIRE(run_and_capture(spec, 60'000'000'000)->exit_status() == 0);
    Person person;
    person.call({k_isolate, "--root", place.path() + "/state", "run", "--bundle", bundle, "c"});
    person.expect("#"); // the shell of the usual config.json
    person.type("echo $((6 * 7)) columns $COLUMNS; exit 3\r");
    person.expect("42 columns");
    CHECK(person.end() == 3);
    person.expect_restored();
    CHECK(::rmdir((place.path() + "/state").c_str()) == 0); // nothing is left in it
}
