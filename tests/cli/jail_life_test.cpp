// Jails with names, from the command line: their life, and what is left when somebody is killed.
#include "common/fd.hpp"
#include "common/pidfd.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/leftovers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <poll.h>
#include <set>
#include <sstream>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using Words = std::vector<std::string>;

std::string const k_isolate = ISO_BIN_DIR "/isolate";
std::string const k_busybox = "/bin/busybox";

struct Answer {
    int status;
    std::string out;
    std::string err;
};

/// A directory for state, removed at the end with every jail in it.
class World {
public:
    World() {
        auto const probe = run_and_capture({k_isolate, "probe"}, 20'000'000'000);
        REQUIRE(probe);
        if (probe->exit_status() != 0) {
            iso::test::record_skip("userns", probe->out);
            usable_ = false;
        } else if (::access(k_busybox.c_str(), X_OK) != 0) {
            iso::test::record_skip("busybox", k_busybox + " is missing (package busybox-static)");
            usable_ = false;
        }
    }
    ~World() {
        for (std::string const& name : names())
            (void)call({"delete", "--force", name});
    }
    World(World const&) = delete;
    World& operator=(World const&) = delete;

    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] std::string const& state() const { return state_.path(); }
    [[nodiscard]] Words command(Words const& words) const {
        Words command{k_isolate, "--state", state_.path()};
        command.insert(command.end(), words.begin(), words.end());
        return command;
    }
    [[nodiscard]] Answer call(Words const& words) const {
        auto const done = run_and_capture(command(words), 60'000'000'000);
        REQUIRE(done);
        REQUIRE_FALSE(done->timed_out);
        return {done->exit_status(), done->out, done->err};
    }
    /// The same; it must succeed.
    std::string must(Words const& words) const {
        Answer const answer = call(words);
        INFO(words.front() << ": " << answer.err);
        REQUIRE(answer.status == 0);
        return answer.out;
    }
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> found;
        std::istringstream lines(call({"list", "-q"}).out);
        for (std::string line; std::getline(lines, line);)
            found.insert(line);
        return found;
    }
    /// What is in the directory, hidden files too.
    [[nodiscard]] std::size_t entries() const {
        std::size_t count = 0;
        for ([[maybe_unused]] auto const& entry :
             std::filesystem::directory_iterator(state_.path()))
            ++count;
        return count;
    }
    void start_sleeper(std::string const& name) const {
        (void)must({"run", "--detach", "--name", name, "--", k_busybox, "sleep", "1000"});
    }

private:
    TempDir state_ = TempDir::create("life").value();
    bool usable_ = true;
};

/// The value of `"key": value` in text of JSON.
std::string json_value(std::string const& json, std::string const& key) {
    auto const at = json.find("\"" + key + "\": ");
    if (at == std::string::npos) return {};
    std::string value = json.substr(at + key.size() + 4);
    value = value.substr(0, value.find_first_of(",\n"));
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    return value;
}

} // namespace

TEST_CASE("a detached jail has a life of its own") {
    World const world;
    if (!world.usable()) return;
    std::string const out =
        world.must({"run", "--detach", "--name", "one", "--", k_busybox, "sh", "-c",
                    "echo out; echo err >&2; mkfifo /tmp/go; read line < /tmp/go; exit 7"});
    CHECK(out == "one\n");
    CHECK(world.must({"list"}).find("running") != std::string::npos);
    CHECK(json_value(world.must({"state", "one"}), "status") == "running");
    CHECK(world.must({"ps", "one"}).find("sh -c") != std::string::npos);
    CHECK(world.must({"stats", "one"}).find("processes") == 0);

    Answer const again = world.call({"run", "--name", "one", "--", k_busybox, "true"});
    CHECK(again.status == 125);
    CHECK(again.err.find("the name is in use") != std::string::npos);
    Answer const early = world.call({"delete", "one"});
    CHECK(early.status == 1);
    CHECK(early.err.find("--force") != std::string::npos);

    (void)world.must({"exec", "one", "--", k_busybox, "sh", "-c",
                      "until [ -p /tmp/go ]; do :; done; echo > /tmp/go"});
    CHECK(world.call({"wait", "one"}).status == 7);
    CHECK(world.must({"logs", "one"}).find("out\nerr\n") == 0);
    CHECK(json_value(world.must({"state", "one"}), "exitStatus") == "7");
    CHECK(world.call({"exec", "one", k_busybox, "true"}).status == 125);
    (void)world.must({"delete", "one"});
    CHECK(world.call({"delete", "one"}).status == 1);
    CHECK(world.call({"delete", "--force", "one"}).status == 0);
    CHECK(world.entries() == 0);
}

TEST_CASE("a created jail waits until it is started, once") {
    World const world;
    if (!world.usable()) return;
    CHECK(world.must({"create", "--name", "two", "--", k_busybox, "sh", "-c",
                      "echo ran; exec sleep 1000"}) == "two\n");
    CHECK(json_value(world.must({"state", "two"}), "status") == "created");
    CHECK(world.call({"exec", "two", k_busybox, "true"}).status == 125);
    CHECK(world.must({"logs", "two"}).empty());
    (void)world.must({"start", "two"});
    CHECK(json_value(world.must({"state", "two"}), "status") == "running");
    Answer const again = world.call({"start", "two"});
    CHECK(again.status == 1);
    CHECK(again.err.find("it is running") != std::string::npos);
    (void)world.must({"kill", "two", "TERM"});
    CHECK(world.call({"wait", "two"}).status == 128 + SIGTERM);
    CHECK(world.must({"logs", "two"}) == "ran\n");

    (void)world.must({"create", "--name", "three", "--", k_busybox, "true"});
    (void)world.must({"kill", "three"}); // before its program was there to be asked
    CHECK(world.call({"wait", "three"}).status == 128 + SIGKILL);

    (void)world.must({"create", "--name", "four", "--workdir", "/nosuch", "--", k_busybox, "true"});
    Answer const failed = world.call({"start", "four"});
    CHECK(failed.status == 1);
    CHECK(failed.err.find("chdir") != std::string::npos);
    CHECK(world.call({"wait", "four"}).status == 125);
}

TEST_CASE("exec is behind the walls of the jail, and its exit status is exact") {
    World const world;
    if (!world.usable()) return;
    world.start_sleeper("cell");
    Answer const seven = world.call({"exec", "cell", k_busybox, "sh", "-c", "exit 7"});
    CHECK(seven.status == 7);
    CHECK(world.call({"exec", "cell", k_busybox, "sh", "-c", "kill -9 $$"}).status == 137);
    CHECK(world.call({"exec", "cell", "/nosuch"}).status == 127);
    CHECK(world.call({"exec", "cell", "/tmp"}).status == 126);
    CHECK(world.call({"exec", "nosuch", "/x"}).status != 0);

    // Of the init of the jail everything that exec has to have too.
    auto const pid = json_value(world.must({"state", "cell"}), "pid");
    std::string const status = world.must({"exec", "cell", k_busybox, "cat", "/proc/self/status"});
    for (char const* line : {"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
                             "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n",
                             "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"}) {
        INFO(line);
        CHECK(status.find(line) != std::string::npos);
    }
    for (char const* kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"}) {
        INFO(kind);
        std::string const inside = world.must(
            {"exec", "cell", k_busybox, "readlink", fmt::format("/proc/self/ns/{}", kind)});
        std::string const of_init =
            std::filesystem::read_symlink(fmt::format("/proc/{}/ns/{}", pid, kind));
        CHECK(inside == of_init + "\n");
    }
    Fd const leaked = *Fd::open("/", O_RDONLY | O_DIRECTORY);
    REQUIRE(::fcntl(leaked.get(), F_SETFD, 0) == 0); // not close-on-exec
    CHECK(world.must({"exec", "cell", k_busybox, "ls", "/proc/self/fd"}) == "0\n1\n2\n3\n");
    // A session of its own: the fields of stat are pid, name, state, parent, group, session.
    std::string const session = world.must({"exec", "cell", k_busybox, "sh", "-c",
                                            "read p n s pp g sid x < /proc/self/stat; "
                                            "[ $p = $sid ] && echo own"});
    CHECK(session == "own\n");
    CHECK(world.must({"exec", "--env", "A=b c", "--workdir", "/tmp", "cell", k_busybox, "sh", "-c",
                      "echo $A; pwd"}) == "b c\n/tmp\n");
    CHECK(world.must({"exec", "--detach", "cell", k_busybox, "sleep", "1000"}).empty());
    CHECK(world.must({"ps", "cell"}).find("sleep 1000") != std::string::npos);
}

TEST_CASE("of two commands that race on one jail one wins, the other is told why not") {
    World const world;
    if (!world.usable()) return;
    auto race = [&](Words const& words, int count) {
        std::vector<pid_t> racers;
        Pipe gate = Pipe::create().value();
        for (int i = 0; i < count; ++i) {
            pid_t const pid = ::fork();
            if (pid == 0) {
                gate.write.reset();
                char byte = 0;
                (void)!::read(gate.read.get(), &byte, 1);
                auto const done = run_and_capture(world.command(words), 60'000'000'000);
                bool const told = done && (done->exit_status() == 0 || !done->err.empty());
                ::_exit(told ? done->exit_status() : 99);
            }
            racers.push_back(pid);
        }
        gate.write.reset();
        int won = 0;
        for (pid_t const pid : racers) {
            int status = 0;
            REQUIRE(::waitpid(pid, &status, 0) == pid);
            CHECK(WEXITSTATUS(status) != 99);
            won += status == 0 ? 1 : 0;
        }
        return won;
    };
    CHECK(race({"create", "--name", "prize", "--", k_busybox, "sleep", "1000"}, 6) == 1);
    CHECK(world.names() == std::set<std::string>{"prize"});
    CHECK(race({"start", "prize"}, 4) == 1);
    (void)world.must({"kill", "prize", "KILL"});
    CHECK(world.call({"wait", "prize"}).status == 137);
    CHECK(race({"delete", "prize"}, 4) == 1);
    CHECK(world.entries() == 0);
}

TEST_CASE("a jail is paused, its limits are changed, and it goes on") {
    World const world;
    if (!world.usable()) return;
    (void)world.must({"run", "--detach", "--name", "still", "--", k_busybox, "sh", "-c",
                      "while :; do echo x; done > /dev/null"});
    Answer const paused = world.call({"pause", "still"});
    if (paused.status != 0) { // an ordinary user without control groups of its own
        INFO(paused.err);
        CHECK(paused.err.find("control group") != std::string::npos);
        iso::test::record_skip("cgroup", paused.err);
        return;
    }
    CHECK(json_value(world.must({"state", "still"}), "status") == "paused");
    std::string const held = world.must({"ps", "still"});
    CHECK(world.must({"ps", "still"}) == held); // no processor time in between
    CHECK(world.call({"pause", "still"}).status == 1);
    CHECK(world.call({"exec", "still", k_busybox, "true"}).status == 125);
    (void)world.must({"resume", "still"});
    CHECK(world.call({"resume", "still"}).status == 1);
    CHECK(world.must({"exec", "still", k_busybox, "echo", "awake"}) == "awake\n");

    (void)world.must({"set", "still", "pids=77"});
    CHECK(world.must({"limits", "still"}).find("77") != std::string::npos);
    CHECK(world.call({"set", "still", "hostname=other"}).status == 2);
    CHECK(world.call({"set", "still", "pids=many"}).status != 0);

    (void)world.must({"pause", "still"});
    (void)world.must({"kill", "still", "KILL"});
    CHECK(world.call({"wait", "still"}).status == 137);
    (void)world.must({"delete", "still"});
    world.start_sleeper("still");
    (void)world.must({"pause", "still"});
    (void)world.must({"delete", "--force", "still"});
    CHECK(world.entries() == 0);
}

TEST_CASE("a log has a limit") {
    World const world;
    if (!world.usable()) return;
    (void)world.must({"run", "--detach", "--name", "loud", "--log-size", "64K", "--", k_busybox,
                      "sh", "-c",
                      "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"});
    CHECK(world.call({"wait", "loud"}).status == 0);
    std::string const log = world.must({"logs", "loud"});
    CHECK(log.size() <= 65536);
    CHECK(log.size() >= 32768);
    CHECK(log.ends_with("line 19999\n"));
}

TEST_CASE("a keeper that is killed takes its jail along, and the name comes free") {
    World const world;
    if (!world.usable()) return;
    world.start_sleeper("kept");
    std::string const state = read_file(world.state() + "/kept/state.json").value();
    auto const keeper = std::stoi(json_value(state.substr(state.find("\"keeper\"")), "pid"));
    REQUIRE(keeper > 1);
    auto const handle = Pidfd::open(std::stoi(json_value(world.must({"state", "kept"}), "pid")));
    REQUIRE(handle);
    REQUIRE(::kill(keeper, SIGKILL) == 0);
    pollfd gone{handle->get(), POLLIN, 0};
    REQUIRE(::poll(&gone, 1, 30'000) == 1); // process 1 of the jail has ended
    CHECK(world.must({"list"}).find("stopped (killed)") != std::string::npos);
    CHECK(world.call({"wait", "kept"}).status == 125);
    (void)world.must({"delete", "kept"});
    CHECK(world.entries() == 0);
}

TEST_CASE("a hundred jails at once") {
    World const world;
    if (!world.usable()) return;
    for (int i = 0; i < 100; ++i)
        world.start_sleeper(fmt::format("jail-{:03}", i));
    std::string const list = world.must({"list"});
    std::size_t running = 0;
    for (auto at = list.find(" running "); at != std::string::npos;
         at = list.find(" running ", at + 1))
        ++running;
    CHECK(running == 100);
    CHECK(world.must({"exec", "jail-077", k_busybox, "echo", "here"}) == "here\n");
    for (std::string const& name : world.names())
        (void)world.must({"delete", "--force", name});
    CHECK(world.entries() == 0);
}

namespace {

/// Runs a command and kills that process of it (its children count) which makes the `count`-th
/// system call, before that call. Then `then` is run, and everything is waited for.
/// Returns whether there were so many calls.
bool kill_at_call(Words const& command, Words const& then, int count) {
    auto start = [](Words const& words, bool traced) {
        std::vector<char*> argv;
        for (std::string const& word : words)
            argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        pid_t const pid = ::fork();
        if (pid == 0) {
            int const null = ::open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; ++fd)
                ::dup2(null, fd);
            if (traced) {
                ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
                ::raise(SIGSTOP);
            }
            ::execv(argv[0], argv.data());
            ::_exit(99);
        }
        return pid;
    };
    pid_t const first = start(command, true);
    pid_t second = 0;
    int status = 0;
    int seen = 0;
    bool killed = false;
    REQUIRE(::waitpid(first, &status, 0) == first);
    REQUIRE(::ptrace(PTRACE_SETOPTIONS, first, nullptr,
                     PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) == 0);
    ::ptrace(PTRACE_SYSCALL, first, nullptr, nullptr);
    for (;;) {
        pid_t const pid = ::waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) break; // ECHILD: all have ended, those inside too, for we are their reaper
        if (!WIFSTOPPED(status)) {
            if (pid == first && second == 0) second = start(then, false);
            continue;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            signal = 0;
            if (!killed && ++seen == count) {
                killed = true;
                ::kill(pid, SIGKILL);
                if (second == 0) second = start(then, false);
                continue;
            }
        } else if ((status >> 8U) == (SIGTRAP | (PTRACE_EVENT_FORK << 8U)) ||
                   (status >> 8U) == (SIGTRAP | (PTRACE_EVENT_VFORK << 8U)) ||
                   (status >> 8U) == (SIGTRAP | (PTRACE_EVENT_CLONE << 8U)) || signal == SIGSTOP ||
                   signal == SIGTRAP) {
            signal = 0;
        }
        ::ptrace(killed ? PTRACE_CONT : PTRACE_SYSCALL, pid, nullptr,
                 reinterpret_cast<void*>(static_cast<std::uintptr_t>(signal)));
    }
    return killed;
}

} // namespace

TEST_CASE("SIGKILL at any moment leaves nothing that delete --force does not clean up") {
    World const world;
    if (!world.usable()) return;
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    auto const before = iso::test::Leftovers::look();
    int kills = 0;
    for (Words const& words :
         {Words{"run", "--detach", "--name", "mortal", "--memory", "64M", "--", k_busybox, "sleep",
                "1000"},
          Words{"create", "--name", "mortal", "--", k_busybox, "sleep", "1000"},
          Words{"run", "--name", "mortal", "--", k_busybox, "true"}}) {
        // A seventh of the first calls, when nothing stands yet; then some of the many alike.
        for (int count = 1;; count += count < 60 ? 7 : 151) {
            INFO(words[0] << " killed at call " << count);
            bool const was_killed = kill_at_call(
                world.command(words), world.command({"delete", "--force", "mortal"}), count);
            kills += was_killed ? 1 : 0;
            // What was abandoned before it could be deleted is taken over by the next.
            Answer const cleaned = world.call({"delete", "--force", "mortal"});
            INFO(cleaned.err);
            CHECK(cleaned.status == 0);
            CHECK(world.names().empty());
            if (!was_killed) break;
        }
    }
    CHECK(kills > 30);
    world.start_sleeper("next"); // also sweeps what was left of names that never came to be
    (void)world.must({"delete", "--force", "next"});
    CHECK(world.entries() == 0);
    std::string left;
    for (std::string const& thing : before.appeared())
        left += thing + "\n";
    CHECK(left == "");
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}
