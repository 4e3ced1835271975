// Podman with isolate as its runtime: what its users do, offline, on a root directory of busybox.
//
// Everything of Podman's is in a directory of the test's own: nothing of the machine's is touched.
#include "common/fd.hpp"
#include "common/scope_exit.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace iso;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::string const k_isolate = ISO_BIN_DIR "/isolate";
constexpr std::uint64_t k_call_ns = 60'000'000'000;

std::string text_of(std::string const& path) {
    return read_file(path).value_or("");
}

/// Podman with directories and control groups of its own.
class Podman {
public:
    Podman() {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1); // its monitors become our children
        parent_ = fmt::format("/isolate-podman-{}", ::getpid());
        for (char const* name : {"root/bin", "root/tmp", "root/proc", "root/sys", "root/dev",
                                 "root/run", "root/etc", "shared", "hooks"})
            fs::create_directories(path(name));
        fs::permissions(path("root/tmp"), fs::perms::all | fs::perms::sticky_bit);
        fs::copy_file("/bin/busybox", path("root/bin/busybox"));
        for (char const* name : {"sh", "cat", "echo", "grep", "head", "id", "ls", "mkfifo", "pwd",
                                 "sleep", "touch", "true", "tty"})
            fs::create_symlink("busybox", path("root/bin/") + name);
    }
    ~Podman() {
        (void)call({"rm", "--all", "--force", "--time", "0"});
        reap();
        remove_groups();
    }
    Podman(Podman const&) = delete;
    Podman& operator=(Podman const&) = delete;

    /// Why these tests cannot run here; empty: they can.
    [[nodiscard]] static std::string lacking() {
        if (::geteuid() != 0) return "root, for Podman with control groups";
        if (::access("/bin/busybox", X_OK) != 0) return "/bin/busybox (package busybox-static)";
        for (char const* program : {"podman", "conmon"}) {
            auto const found = run_and_capture({program, "--version"}, k_call_ns);
            if (!found || found->exit_status() != 0)
                return std::string(program) + " (package podman)";
        }
        auto const probe = run_and_capture({k_isolate, "probe"}, k_call_ns);
        return probe && probe->exit_status() == 0 ? "" : "a kernel on which isolate works";
    }

    [[nodiscard]] std::string path(std::string const& name) const {
        return dir_.path() + "/" + name;
    }
    [[nodiscard]] std::string root() const { return path("root"); }

    Finished call(Words const& words, std::string const& input = {}) const {
        Words command{"podman",
                      "--root=" + path("storage"),
                      "--runroot=" + path("run"),
                      "--tmpdir=" + path("tmp"),
                      "--storage-driver=vfs",
                      "--cgroup-manager=cgroupfs",
                      "--events-backend=file",
                      "--hooks-dir=" + path("hooks"),
                      "--runtime=" + k_isolate};
        command.insert(command.end(), words.begin(), words.end());
        auto const done = run_and_capture(command, k_call_ns, input);
        REQUIRE(done);
        REQUIRE_FALSE(done->timed_out);
        return *done;
    }
    /// podman run with OPTIONS on the root directory.
    Finished run(Words const& options, Words const& program) const {
        // Root need not be allowed to raise limits, which Podman wants by itself.
        Words words{"run", "--cgroup-parent=" + parent_, "--ulimit=nofile=1024:4096",
                    "--ulimit=nproc=4096:4096"};
        bool const network = std::any_of(options.begin(), options.end(), [](auto const& word) {
            return word.starts_with("--network");
        });
        if (!network) words.emplace_back("--network=none");
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--rootfs", root()});
        words.insert(words.end(), program.begin(), program.end());
        return call(words);
    }
    Finished shell(Words options, std::string const& script) const {
        options.insert(options.begin(), "--rm");
        return run(options, {"/bin/sh", "-c", script});
    }
    /// The same; it must succeed.
    std::string must(Finished const& done) const {
        INFO(done.err);
        REQUIRE(done.exit_status() == 0);
        return done.out;
    }
    std::string must(Words const& words) const { return must(call(words)); }

    /// After every container was removed.
    void check_nothing_left() const {
        CHECK(must({"ps", "--all", "--quiet"}).empty());
        reap();
        std::error_code gone;
        std::vector<std::string> states;
        for (auto const& entry : fs::directory_iterator("/run/isolate", gone))
            if (std::string name = entry.path().filename(); name.size() == 64) // as Podman's are
                states.push_back(std::move(name));
        CHECK(states == std::vector<std::string>{});
        for (std::string const& group : groups())
            for (auto const& entry : fs::directory_iterator(group, gone)) {
                INFO(entry.path());
                CHECK((!entry.is_directory() || entry.path().filename() == "conmon"));
            }
        CHECK(text_of("/proc/self/mountinfo").find(root()) == std::string::npos);
    }

private:
    /// Its monitors and what they call at the end: they end by themselves.
    static void reap() {
        sigset_t child;
        sigset_t before;
        ::sigemptyset(&child);
        ::sigaddset(&child, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &child, &before);
        ScopeExit const restore([&] { ::sigprocmask(SIG_SETMASK, &before, nullptr); });
        for (;;) {
            pid_t const pid = ::waitpid(-1, nullptr, WNOHANG);
            if (pid < 0 && errno == ECHILD) return;
            timespec const patience{20, 0};
            if (pid == 0 && ::sigtimedwait(&child, nullptr, &patience) < 0 && errno == EAGAIN) {
                CHECK("a process of Podman's" == std::string("ended"));
                return;
            }
        }
    }
    /// The group that all containers of this test are in, in each hierarchy.
    [[nodiscard]] std::vector<std::string> groups() const {
        std::vector<std::string> found;
        std::error_code none;
        for (auto const& entry : fs::directory_iterator("/sys/fs/cgroup", none))
            found.push_back(entry.path().string() + parent_);
        found.push_back("/sys/fs/cgroup" + parent_);
        std::erase_if(found, [](auto const& group) { return !fs::is_directory(group); });
        return found;
    }
    void remove_groups() const {
        for (std::string const& group : groups()) {
            ::rmdir((group + "/conmon").c_str()); // Podman leaves both
            ::rmdir(group.c_str());
        }
    }

    TempDir const dir_ = TempDir::create("isolate-podman").value();
    std::string parent_;
};

#define NEED_PODMAN()                                                                              \
    if (std::string const lacking = Podman::lacking(); !lacking.empty()) ISO_SKIP("podman", lacking)

TEST_CASE("Podman runs a program to its end: streams, status, what is missing") {
    NEED_PODMAN();
    Podman const podman;
    Finished const done =
        podman.run({"--rm", "--env=A=b", "--user=1000", "--workdir=/tmp"},
                   {"/bin/sh", "-c", "echo $$ $A; pwd; id -u; echo no >&2; exit 7"});
    CHECK(done.exit_status() == 7);
    CHECK(done.out == "1 b\n/tmp\n1000\n"); // its process is process 1
    CHECK(done.err == "no\n");
    CHECK(podman.shell({}, "kill -9 $$; exec sleep 1; true").exit_status() == 0); // as of any init
    Finished const missing = podman.run({"--rm"}, {"/no/such"});
    CHECK(missing.exit_status() == 127);
    CHECK_THAT(missing.err, Catch::Contains("exec(/no/such): No such file or directory"));
    CHECK(podman.run({"--rm"}, {"/etc"}).exit_status() == 126);
    podman.check_nothing_left();
}

TEST_CASE("Podman shows a container its limits, files, terminal, ids and networks") {
    NEED_PODMAN();
    Podman const podman;
    SECTION("limits") {
        std::string const limits = podman.must(
            podman.shell({"--memory=64m", "--pids-limit=50", "--cpus=0.5"},
                         "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max "
                         "cpu/cpu.cfs_quota_us 2>/dev/null || cat memory.max pids.max cpu.max"));
        CHECK_THAT(limits, Catch::StartsWith("67108864\n50\n50000"));
    }
    SECTION("files") {
        std::string const volume = podman.path("shared");
        CHECK(podman.must(
                  podman.shell({"--volume=" + volume + ":/a", "--volume=" + volume + ":/b:ro"},
                               "echo new >/a/file; cat /b/file; echo no 2>&1 >/b/file || true")) ==
              "new\n/bin/sh: can't create /b/file: Read-only file system\n");
        CHECK(text_of(volume + "/file") == "new\n");
        // The host's /proc/sys and what else is masked stay out of reach, the root can be fixed.
        CHECK(podman.must(podman.shell(
                  {"--read-only"}, "touch /x 2>/dev/null || echo fixed; head -c1 /proc/kcore; "
                                   "echo 1 2>/dev/null >/proc/sys/kernel/panic || echo kept")) ==
              "fixed\nkept\n");
    }
    SECTION("a file system in memory that begins with what it covers") {
        fs::create_directories(podman.path("root/data/below"));
        std::ofstream(podman.path("root/data/below/file")) << "kept\n";
        fs::permissions(podman.path("root/data/below"), fs::perms(0711));
        fs::create_symlink("below/file", podman.path("root/data/link"));
        CHECK_THAT(podman.must(podman.shell(
                       {"--tmpfs=/data"},
                       "cat /data/link; echo new >/data/below/file; ls -ld /data/below")),
                   Catch::StartsWith("kept\ndrwx--x--x"));
        CHECK(text_of(podman.path("root/data/below/file")) == "kept\n");
        CHECK(podman.must(podman.shell(
                  {"--tmpfs=/data:ro"},
                  "cat /data/link; touch /data/x 2>/dev/null || echo fixed")) == "kept\nfixed\n");
    }
    SECTION("terminal") {
        CHECK(podman.must(
                  podman.shell({"--tty", "--user=1000"},
                               "tty; echo >/dev/tty; test -c /dev/console && echo console")) ==
              "/dev/pts/0\r\n\r\nconsole\r\n");
    }
    SECTION("ids") {
        // As Podman does with an image: the files are those of the ids that are mapped.
        for (auto const& entry : fs::recursive_directory_iterator(podman.root()))
            REQUIRE(::lchown(entry.path().c_str(), 100000, 100000) == 0);
        REQUIRE(::chown(podman.root().c_str(), 100000, 100000) == 0);
        std::string const ids =
            podman.must(podman.shell({"--uidmap=0:100000:65536"}, "id -u; cat /proc/self/uid_map"));
        CHECK_THAT(ids, Catch::StartsWith("0\n") && Catch::Contains(" 100000 "));
    }
    SECTION("networks") {
        CHECK(podman.must(podman.shell({"--network=none"}, "ls /sys/class/net")) == "lo\n");
        std::error_code none;
        std::set<std::string> host;
        for (auto const& entry : fs::directory_iterator("/sys/class/net", none))
            host.insert(entry.path().filename());
        std::istringstream seen(podman.must(podman.shell({"--network=host"}, "ls /sys/class/net")));
        std::set<std::string> inside;
        for (std::string line; std::getline(seen, line);)
            inside.insert(line);
        CHECK(inside == host);
    }
    SECTION("descriptors of the caller's") {
        std::string const file = podman.path("kept");
        Fd opened = Fd::open(file, O_WRONLY | O_CREAT).value();
        REQUIRE(::dup2(opened.get(), 3) == 3); // not close-on-exec
        if (opened.get() == 3) REQUIRE(::fcntl(opened.release(), F_SETFD, 0) == 0);
        Fd const kept(3);
        // The fourth is ls's own.
        CHECK(podman.must(podman.shell({"--preserve-fds=1"},
                                       "echo through >&3; ls /proc/self/fd")) == "0\n1\n2\n3\n4\n");
        CHECK(text_of(file) == "through\n");
    }
    podman.check_nothing_left();
}

TEST_CASE("Podman enters, pauses, watches and stops a container in the background") {
    NEED_PODMAN();
    Podman const podman;
    podman.must(podman.run({"--detach", "--name=web", "--health-cmd=test -e /ready"},
                           {"/bin/sh", "-c",
                            "trap 'echo bye; exit 3' TERM; mkfifo /ready; echo up >/ready; "
                            "echo started; while true; do sleep 1; done"}));
    // Written when it is ready to be read, so nobody has to wait for any time.
    CHECK(podman.must({"exec", "web", "/bin/sh", "-c",
                       "until test -e /ready; do sleep 0.1; done; cat /ready"}) == "up\n");
    Finished const entered =
        podman.call({"exec", "--interactive", "--user=1000:1000", "--workdir=/tmp", "web",
                     "/bin/sh", "-c", "cat; id -u; pwd; grep CapEff /proc/self/status; exit 5"},
                    "input\n");
    CHECK(entered.exit_status() == 5);
    CHECK(entered.out == "input\n1000\n/tmp\nCapEff:\t0000000000000000\n");
    CHECK(podman.must({"exec", "--tty", "web", "/bin/tty"}) == "/dev/pts/0\r\n");
    CHECK(podman.call({"exec", "web", "/no/such"}).exit_status() == 127);
    podman.must({"exec", "--detach", "web", "/bin/sleep", "1000"});
    CHECK_THAT(podman.must({"top", "web", "pid", "comm"}), Catch::Contains("sleep"));
    CHECK_THAT(podman.must({"healthcheck", "run", "web"}), Catch::Equals(""));
    CHECK(podman.must({"inspect", "--format={{.State.Health.Status}}", "web"}) == "healthy\n");

    podman.must({"pause", "web"});
    CHECK_THAT(podman.must({"ps", "--all", "--format={{.Status}}"}), Catch::Contains("Paused"));
    podman.must({"unpause", "web"});
    CHECK_THAT(podman.must({"stats", "--no-stream", "--format={{.Name}} {{.PIDs}}", "web"}),
               Catch::StartsWith("web "));

    podman.must({"stop", "--time=20", "web"});
    CHECK(podman.must({"inspect", "--format={{.State.ExitCode}}", "web"}) == "3\n");
    CHECK(podman.must({"logs", "web"}) == "started\nbye\n");
    podman.must({"rm", "web"});
    podman.check_nothing_left();
}

TEST_CASE("Hooks run where OCI says; one that fails leaves no container") {
    NEED_PODMAN();
    Podman const podman;
    auto write = [&](std::string const& name, std::string const& text) {
        std::ofstream(podman.path(name)) << text;
        ::chmod(podman.path(name).c_str(), 0755);
    };
    std::string const out = podman.path("out");
    auto hook = [&](char const* stage, std::string const& command) {
        write(fmt::format("hooks/{}.json", stage),
              fmt::format("{{\"version\":\"1.0.0\",\"hook\":{{{}}},\"when\":{{\"always\":true}},"
                          "\"stages\":[\"{}\"]}}",
                          command, stage));
    };
    // Those of poststop are Podman's own affair (oci_test has them).
    for (char const* stage : {"prestart", "createRuntime", "createContainer", "poststart"}) {
        std::string const script = fmt::format("{}.sh", stage);
        write(script, fmt::format("#!/bin/busybox sh\nstate=$(/bin/busybox cat)\n"
                                  "case $state in *'\"status\": \"'*) ;; *) exit 9 ;; esac\n"
                                  "echo {} >>{}\n",
                                  stage, out));
        hook(stage, fmt::format("\"path\":\"{}\"", podman.path(script)));
    }
    // That of startContainer is found, and works, inside.
    hook("startContainer", R"("path":"/bin/busybox","args":["busybox","touch","/hooked"])");
    CHECK(podman.must(podman.shell({}, "ls /hooked")) == "/hooked\n");
    CHECK(text_of(out) == "prestart\ncreateRuntime\ncreateContainer\npoststart\n");

    write("createRuntime.sh", "#!/bin/busybox sh\necho not today\nexit 4\n");
    Finished const failed = podman.shell({}, "echo ran");
    CHECK(failed.exit_status() == 126);
    CHECK(failed.out.empty());
    CHECK_THAT(failed.err, Catch::Contains("hook createRuntime[0]") &&
                               Catch::Contains("ended with status 4: not today"));
    podman.check_nothing_left();
}

} // namespace
