#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/file_sha256.hpp"
#include "common/report.hpp"
#include "common/scope_exit.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launch.hpp"
#include "tests/support/leftovers.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <sstream>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using iso::test::Launch;
using iso::test::Ran;

std::string const k_isolate = ISO_BIN_DIR "/isolate";
std::string const k_attacker = ISO_JAIL_ATTACKER;

/// Each property is tested for the caller as it is and, for root, once more as an ordinary user.
struct Caller {
    char const* name;
    std::vector<std::string> prefix;
};

std::vector<Caller> callers() {
    std::vector<Caller> result{{"the caller", {}}};
    std::vector<std::string> const as_nobody{"setpriv", "--reuid=65534", "--regid=65534",
                                             "--clear-groups"};
    if (::geteuid() != 0) return result;
    std::vector<std::string> reach = as_nobody;
    reach.insert(reach.end(), {"test", "-x", k_isolate});
    auto const reached = run_and_capture(reach, 10'000'000'000);
    if (reached && reached->exit_status() == 0) {
        result.push_back({"an ordinary user", as_nobody});
    } else {
        iso::test::record_skip(
            "userns",
            "setpriv is missing, or the build directory cannot be reached by an ordinary user");
    }
    return result;
}

bool usable(Caller const& caller) {
    std::vector<std::string> command = caller.prefix;
    command.insert(command.end(), {k_isolate, "probe"});
    auto const probe = run_and_capture(command, 20'000'000'000);
    REQUIRE(probe);
    if (probe->exit_status() != 0) iso::test::record_skip("userns", probe->out);
    return probe->exit_status() == 0;
}

Launch jailed(Caller const& caller, std::vector<std::string> const& options,
              std::vector<std::string> const& program) {
    Launch launch;
    launch.command = caller.prefix;
    launch.command.insert(launch.command.end(), {k_isolate, "run"});
    launch.command.insert(launch.command.end(), options.begin(), options.end());
    launch.command.push_back("--");
    launch.command.insert(launch.command.end(), program.begin(), program.end());
    return launch;
}

template <typename Test>
void for_each_caller(Test test) {
    for (Caller const& caller : callers()) {
        if (!usable(caller)) continue;
        INFO("as " << caller.name);
        test(caller);
    }
}

/// A directory that an ordinary user can reach too. Leftovers gives this process a TMPDIR that only
/// its owner may enter.
TempDir reachable_directory() {
    auto dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    ::chmod(dir->path().c_str(), 0755);
    std::string const parent = dir->path().substr(0, dir->path().rfind('/'));
    struct stat info {};
    if (::stat(parent.c_str(), &info) == 0 && info.st_uid == ::geteuid() &&
        (info.st_mode & 0777) == 0700)
        ::chmod(parent.c_str(), 0711);
    return std::move(*dir);
}

int listen_abstract(std::string const& name) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    auto const length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(fd, 1) == 0);
    return fd;
}

} // namespace

TEST_CASE("a hostile program finds every way out closed") {
    std::string const name = fmt::format("isolate-test-{}", ::getpid());
    Fd const listener(listen_abstract(name));
    Fd const leaked = *Fd::open("/", O_RDONLY | O_DIRECTORY);
    REQUIRE(::fcntl(leaked.get(), F_SETFD, 0) == 0); // not close-on-exec: only the jail can stop it
    auto const hash = file_sha256(k_attacker);
    REQUIRE(hash);
    for_each_caller([&](Caller const& caller) {
        Ran const ran = iso::test::launch(
            jailed(caller, {"--hostname=cell"},
                   {k_attacker, "attack", std::to_string(::getpid()), "cell", name}));
        INFO(ran.err);
        CHECK(ran.status == 0);
        int attempts = 0;
        std::istringstream lines(ran.out);
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("OPEN") || line.starts_with("BROKEN")) FAIL_CHECK(line);
            ++attempts;
        }
        CHECK(attempts > 100);
        CHECK(ran.out.ends_with("done\n"));
        CHECK(ran.strays.empty());
        CHECK(file_sha256(k_attacker).value_or("") == *hash);
    });
}

TEST_CASE("a fork bomb is bounded") {
    for_each_caller([](Caller const& caller) {
        Ran const ran = iso::test::launch(jailed(caller, {"--pids=100"}, {k_attacker, "bomb"}));
        INFO(ran.err);
        CHECK(ran.status == 0);
        CHECK(ran.out == "98 Resource temporarily unavailable\n"); // beside itself and process 1
        CHECK(ran.strays.empty());
        Ran const by_default = iso::test::launch(jailed(caller, {}, {k_attacker, "bomb"}));
        CHECK(by_default.out == "510 Resource temporarily unavailable\n");
        CHECK(by_default.strays.empty());
    });
}

TEST_CASE("whatever ends isolate ends everything inside and leaves nothing") {
    for_each_caller([](Caller const& caller) {
        for (int const signal : {SIGTERM, SIGINT}) {
            for (char const* memory : {"", "--memory=64M"}) {
                INFO("signal " << signal << " " << memory);
                auto const before = iso::test::Leftovers::look();
                Launch launch =
                    jailed(caller, {fmt::format("--report-fd={}", iso::test::k_report_fd)},
                           {k_attacker, "linger"});
                if (*memory != '\0')
                    launch.command.insert(launch.command.begin() +
                                              static_cast<std::ptrdiff_t>(caller.prefix.size()) + 2,
                                          memory);
                launch.signal = signal;
                launch.signal_after_output = "ready";
                Ran const ran = iso::test::launch(launch);
                CHECK(ran.status == 128 + signal);
                CHECK_FALSE(ran.hung);
                CHECK(ran.strays.empty());
                CHECK(before.appeared().empty());
                auto const report = parse_report(ran.report);
                REQUIRE(report);
                CHECK(report->ended == Ended::killed);
                CHECK(report->signal == signal);
            }
        }
    });
}

TEST_CASE("SIGKILL of isolate itself ends everything inside and leaves nothing") {
    for_each_caller([](Caller const& caller) {
        for (char const* memory : {"--pids=64", "--memory=64M"}) {
            INFO(memory);
            auto const before = iso::test::Leftovers::look();
            REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) ==
                    0); // what is inside becomes ours to wait for
            Pipe pipe = *Pipe::create();
            std::vector<std::string> command =
                jailed(caller, {memory}, {k_attacker, "linger"}).command;
            std::vector<char*> argv;
            for (std::string& word : command)
                argv.push_back(word.data());
            argv.push_back(nullptr);
            pid_t const pid = ::fork();
            if (pid == 0) {
                ::dup2(pipe.write.get(), STDOUT_FILENO);
                ::execvp(argv[0], argv.data());
                ::_exit(1);
            }
            pipe.write.reset();
            char text[6] = {};
            REQUIRE(::read(pipe.read.get(), text, sizeof text) == 6);
            REQUIRE(::kill(pid, SIGKILL) == 0); // setpriv has become isolate
            // Nobody kills anything else: all of it has to end by itself. The pipe ends with the
            // last.
            pollfd ended{pipe.read.get(), POLLIN, 0};
            CHECK(::poll(&ended, 1, 30'000) == 1);
            int waited = 0;
            while (::waitpid(-1, nullptr, WNOHANG) >= 0 && ++waited < 3000)
                ::usleep(10'000);
            CHECK(errno == ECHILD);
            CHECK(waited < 3000);
            CHECK(before.appeared().empty());
        }
    });
}

TEST_CASE("symbolic links in --root lead nowhere outside") {
    TempDir const dir = reachable_directory();
    std::string const outside = dir.path() + "/outside";
    std::string const root = dir.path() + "/root";
    REQUIRE(::mkdir(outside.c_str(), 0777) == 0);
    ::chmod(outside.c_str(), 0777); // so that only the jail stands before it
    REQUIRE(::mkdir(root.c_str(), 0755) == 0);
    REQUIRE(::mkdir((root + "/sub").c_str(), 0755) == 0);
    REQUIRE(Fd::open(outside + "/canary", O_CREAT | O_WRONLY, 0644));
    for (auto const& [link, target] :
         std::vector<std::pair<std::string, std::string>>{{"/absolute", outside + "/canary"},
                                                          {"/host", "/"},
                                                          {"/up", "../outside/canary"},
                                                          {"/sub/up", "../../outside/canary"},
                                                          {"/magic", "/proc/1/root/etc/passwd"},
                                                          {"/dev", outside},
                                                          {"/proc", outside},
                                                          {"/sys", outside},
                                                          {"/tmp", outside}})
        REQUIRE(::symlink(target.c_str(), (root + link).c_str()) == 0);
    for_each_caller([&](Caller const& caller) {
        for (char const* path : {"/absolute", "/host/etc/passwd", "/up", "/sub/up", "/magic",
                                 "/proc/canary", "/tmp/canary", "/dev/canary"}) {
            INFO(path);
            Ran const ran =
                iso::test::launch(jailed(caller, {"--root=" + root}, {k_attacker, "read", path}));
            INFO(ran.err);
            CHECK(ran.status == 0);
            CHECK(ran.out != "yes\n");
        }
        Ran const proc = iso::test::launch(
            jailed(caller, {"--root=" + root}, {k_attacker, "read", "/proc/self/maps"}));
        CHECK(proc.out == "yes\n"); // its own /proc, not what the link names
    });
    auto const left = run_and_capture({"ls", outside}, 10'000'000'000);
    REQUIRE(left);
    CHECK(left->out == "canary\n"); // and nothing was made there
}

TEST_CASE("a mount point behind a symbolic link of --root is refused") {
    TempDir const dir = reachable_directory();
    REQUIRE(::symlink("/", (dir.path() + "/link").c_str()) == 0);
    for_each_caller([&](Caller const& caller) {
        Ran const ran = iso::test::launch(jailed(
            caller, {"--root=" + dir.path(), "--add=/usr:/link/usr"}, {k_attacker, "read", "/"}));
        CHECK(ran.status == 125);
        CHECK(ran.err.find("symbolic link") != std::string::npos);
    });
}

TEST_CASE("host root's program may lie where nobody else can go") {
    if (::geteuid() != 0) ISO_SKIP("root", "an ordinary user cannot take what it does not reach");
    Caller const root{"root", {}};
    if (!usable(root)) return;
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const program = dir->path() + "/program";
    std::string const tree = dir->path() + "/tree";
    std::error_code problem;
    std::filesystem::copy_file(k_attacker, program, problem);
    REQUIRE_FALSE(problem);
    REQUIRE(::mkdir(tree.c_str(), 0755) == 0);
    { REQUIRE(Fd::open(tree + "/file", O_CREAT | O_WRONLY, 0644)); }
    // Not even uid 0 without capabilities is its owner.
    REQUIRE(::chown(dir->path().c_str(), 65534, 65534) == 0);
    REQUIRE(::chmod(dir->path().c_str(), 0700) == 0);
    Ran const added = iso::test::launch(
        jailed(root, {"--add=" + tree + ":/data"}, {program, "read", "/data/file"}));
    INFO(added.err);
    CHECK(added.out == "yes\n");
    Ran const rooted =
        iso::test::launch(jailed(root, {"--root=" + tree}, {program, "read", "/file"}));
    INFO(rooted.err);
    CHECK(rooted.out == "yes\n");
    REQUIRE(::chmod(program.c_str(), 0750) == 0); // the file itself must be anybody's to execute
    Ran const refused = iso::test::launch(jailed(root, {}, {program, "read", "/"}));
    CHECK(refused.status == 126);
    CHECK(refused.err.find("chmod o+x") != std::string::npos);
}

TEST_CASE("what --root shows can be read and not written") {
    TempDir const dir = reachable_directory();
    REQUIRE(::mkdir((dir.path() + "/data").c_str(), 0755) == 0);
    { REQUIRE(Fd::open(dir.path() + "/data/file", O_CREAT | O_WRONLY, 0644)); }
    for_each_caller([&](Caller const& caller) {
        Ran const ran = iso::test::launch(
            jailed(caller, {"--root=" + dir.path()}, {k_attacker, "read", "/data/file"}));
        INFO(ran.err);
        CHECK(ran.out == "yes\n");
        Ran const host = iso::test::launch(
            jailed(caller, {"--root=" + dir.path()}, {k_attacker, "read", "/etc/passwd"}));
        CHECK(host.out == "No such file or directory\n");
    });
}
