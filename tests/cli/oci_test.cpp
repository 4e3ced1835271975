// OCI's runtime command line, called as a container engine does.
#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using nlohmann::json;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::string const k_isolate = ISO_BIN_DIR "/isolate";
constexpr std::uint64_t k_call_ns = 60'000'000'000;

std::string text_of(std::string const& path) {
    return read_file(path).value_or("");
}

/// A bundle, and the state of a runtime of its own. We receive orphans, as conmon does.
class Engine {
public:
    Engine() {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        for (char const* name : {"bundle/rootfs/bin", "bundle/rootfs/proc", "bundle/rootfs/dev",
                                 "bundle/rootfs/sys", "bundle/rootfs/tmp"})
            fs::create_directories(path(name));
        fs::permissions(dir_.path(), fs::perms(0755)); // another id goes through
        fs::copy_file("/bin/busybox", path("bundle/rootfs/bin/busybox"));
        for (char const* name : {"sh", "cat", "ls", "sleep", "true"})
            fs::create_symlink("busybox", path("bundle/rootfs/bin/") + name);
        Words spec{"spec", "--bundle", path("bundle")};
        if (::geteuid() != 0) spec.emplace_back("--rootless");
        REQUIRE(call(spec).exit_status() == 0);
        config = json::parse(text_of(path("bundle/config.json")));
        config["process"]["terminal"] = false;
        config["process"].erase("rlimits");
        config["root"]["readonly"] = false;
        program("exec sleep 1000");
    }
    ~Engine() {
        for (std::string const& id : used_)
            (void)call({"delete", "--force", id});
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
    }
    Engine(Engine const&) = delete;
    Engine& operator=(Engine const&) = delete;

    [[nodiscard]] static std::string lacking() {
        if (::access("/bin/busybox", X_OK) != 0) return "/bin/busybox (package busybox-static)";
        auto const probe = run_and_capture({k_isolate, "probe"}, k_call_ns);
        return probe && probe->exit_status() == 0 ? "" : "a kernel on which isolate works";
    }

    [[nodiscard]] std::string path(std::string const& name) const {
        return dir_.path() + "/" + name;
    }
    void program(std::string const& script) {
        config["process"]["args"] = {"/bin/sh", "-c", script};
    }
    /// A hook that runs a script of the host's shell.
    static json hook(std::string const& script) {
        return {{"path", "/bin/busybox"}, {"args", {"busybox", "sh", "-c", script}}};
    }
    /// `to_files`: what is left running must not hold our pipes.
    Finished call(Words const& words, bool to_files = false) const {
        Words command;
        if (to_files)
            command = {"/bin/busybox", "sh",
                       "-c",           R"(out=$1 err=$2; shift 2; exec "$@" >$out 2>$err)",
                       "sh",           path("out"),
                       path("err")};
        command.insert(command.end(), {k_isolate, "--root", path("state"), "--log", path("log"),
                                       "--log-format=json"});
        command.insert(command.end(), words.begin(), words.end());
        auto done = run_and_capture(command, k_call_ns);
        REQUIRE(done);
        REQUIRE_FALSE(done->timed_out);
        if (to_files) done->err = text_of(path("err"));
        return *done;
    }
    std::string must(Words const& words) const {
        Finished const done = call(words);
        INFO(done.err);
        REQUIRE(done.exit_status() == 0);
        return done.out;
    }
    Finished create(std::string const& id, Words options = {}) {
        std::ofstream(path("bundle/config.json")) << config;
        used_.push_back(id);
        options.insert(options.begin(),
                       {"create", "--bundle", path("bundle"), "--pid-file", path("pid")});
        options.push_back(id);
        return call(options, true);
    }
    [[nodiscard]] json state(std::string const& id) const {
        return json::parse(must({"state", id}));
    }
    [[nodiscard]] pid_t pid() const { return std::atoi(text_of(path("pid")).c_str()); }
    /// The wait status of a container's process, which is our child by now.
    [[nodiscard]] int await(pid_t pid) const {
        int status = -1;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        return status;
    }
    [[nodiscard]] bool nothing_left() const {
        std::error_code gone;
        return fs::is_empty(path("state"), gone);
    }

    json config;

private:
    TempDir const dir_ = TempDir::create("isolate-oci").value();
    Words used_;
};

#define NEED_JAILS()                                                                               \
    if (std::string const lacking = Engine::lacking(); !lacking.empty()) ISO_SKIP("userns", lacking)

TEST_CASE("A container is created, started, entered and ends with its own status") {
    NEED_JAILS();
    Engine engine;
    engine.config["annotations"] = {{"owner", "the test"}};
    engine.program("cat /tmp/wait; exit 41");
    REQUIRE(::mkfifo(engine.path("bundle/rootfs/tmp/wait").c_str(), 0666) == 0);
    REQUIRE(::chmod(engine.path("bundle/rootfs/tmp/wait").c_str(), 0666) == 0);
    REQUIRE(engine.create("c1").exit_status() == 0);
    json const created = engine.state("c1");
    CHECK(created["status"] == "created");
    CHECK(created["pid"] == engine.pid());
    CHECK(created["bundle"] == engine.path("bundle"));
    CHECK(created["annotations"]["owner"] == "the test");
    CHECK(engine.create("c1").exit_status() == 1); // in use
    engine.must({"start", "c1"});
    CHECK(engine.state("c1")["status"] == "running");
    CHECK(engine.call({"start", "c1"}).exit_status() == 1);
    CHECK(engine.call({"exec", "c1", "/bin/sh", "-c", "exit 9"}).exit_status() == 9);
    CHECK(engine.call({"exec", "c1", "/no/such"}).exit_status() == 127);
    CHECK(engine.call({"delete", "c1"}).exit_status() == 1); // it runs
    { std::ofstream(engine.path("bundle/rootfs/tmp/wait")) << "go on\n"; }
    int const status = engine.await(engine.pid());
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 41));
    CHECK(engine.state("c1")["status"] == "stopped");
    CHECK_THAT(engine.call({"kill", "c1", "TERM"}).err, Catch::Contains("container not running"));
    engine.must({"delete", "c1"});
    CHECK(engine.call({"delete", "c1"}).exit_status() == 1);
    engine.must({"delete", "--force", "c1"}); // none is no error
    CHECK(engine.nothing_left());
}

TEST_CASE("A signal ends a container, started or not") {
    NEED_JAILS();
    Engine engine;
    REQUIRE(engine.create("k1").exit_status() == 0);
    engine.must({"start", "k1"});
    engine.must({"kill", "k1", "9"});
    int const status = engine.await(engine.pid());
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    engine.must({"delete", "k1"});
    REQUIRE(engine.create("k2").exit_status() == 0);
    engine.must({"kill", "k2", "SIGTERM"});
    (void)engine.await(engine.pid());
    engine.must({"delete", "k2"});
    CHECK(engine.nothing_left());
}

TEST_CASE("run in the foreground ends as its container does and leaves nothing") {
    NEED_JAILS();
    Engine engine;
    engine.program("echo $$; exit 12");
    // As other runtimes' own examples have it; what cannot be granted is no error.
    json& capabilities = engine.config["process"]["capabilities"];
    capabilities = {{"bounding", {"CAP_KILL", "CAP_SYS_RESOURCE"}},
                    {"permitted", {"CAP_KILL", "CAP_SYS_RESOURCE"}},
                    {"effective", {"CAP_KILL", "CAP_CHOWN"}},
                    {"ambient", {"CAP_KILL"}}};
    std::ofstream(engine.path("bundle/config.json")) << engine.config;
    Finished const done = engine.call({"run", "--bundle", engine.path("bundle"), "r1"});
    CHECK(done.exit_status() == 12);
    CHECK(done.out == "1\n");
    CHECK(engine.nothing_left());
}

TEST_CASE("What goes wrong is written to the log, and nothing is left") {
    NEED_JAILS();
    Engine engine;
    auto last = [&] { return json::parse(text_of(engine.path("log"))); }; // one line, no more
    SECTION("a program that is missing") {
        engine.config["process"]["args"] = {"no-such-program"};
        CHECK(engine.create("e1").exit_status() == 127);
        CHECK_THAT(last()["msg"].get<std::string>(),
                   Catch::Contains("exec(no-such-program): No such file or directory"));
    }
    SECTION("a field that is not done") {
        engine.config["linux"]["intelRdt"] = {{"closID", "x"}};
        CHECK(engine.create("e2").exit_status() == 1);
        CHECK_THAT(last()["msg"].get<std::string>(), Catch::Contains("linux.intelRdt"));
    }
    SECTION("a terminal for nobody") {
        engine.config["process"]["terminal"] = true;
        CHECK(engine.create("e3").exit_status() == 1);
        CHECK_THAT(last()["msg"].get<std::string>(), Catch::Contains("--console-socket"));
    }
    SECTION("descriptors that are not open") {
        CHECK(engine.create("e4", {"--preserve-fds", "900"}).exit_status() == 1);
        CHECK_THAT(last()["msg"].get<std::string>(), Catch::Contains("--preserve-fds 900"));
    }
    CHECK(last()["level"] == "error");
    CHECK(text_of(engine.path("pid")).empty());
    CHECK(engine.nothing_left());
}

TEST_CASE("Hooks: state on stdin, the last one after the end; failure and timeout leave nothing") {
    NEED_JAILS();
    Engine engine;
    std::string const seen = engine.path("seen");
    auto tell = [&](char const* stage) {
        return Engine::hook(
            fmt::format("echo {} $(grep -o '\"status\": \"[a-z]*\"') >>{}", stage, seen));
    };
    for (char const* stage :
         {"prestart", "createRuntime", "createContainer", "poststart", "poststop"})
        engine.config["hooks"][stage] = {tell(stage)};
    SECTION("all is well") {
        engine.config["hooks"]["startContainer"] = {
            Engine::hook("/bin/busybox touch /tmp/hooked && test -d /proc/1")};
        REQUIRE(engine.create("h1").exit_status() == 0);
        engine.must({"start", "h1"});
        CHECK(fs::exists(engine.path("bundle/rootfs/tmp/hooked")));
        engine.must({"delete", "--force", "h1"});
        CHECK(text_of(seen) == "prestart \"status\": \"creating\"\n"
                               "createRuntime \"status\": \"creating\"\n"
                               "createContainer \"status\": \"creating\"\n"
                               "poststart \"status\": \"running\"\n"
                               "poststop \"status\": \"stopped\"\n");
    }
    SECTION("one fails") {
        engine.config["hooks"]["createRuntime"].push_back(Engine::hook("echo not today; exit 4"));
        Finished const failed = engine.create("h2");
        CHECK(failed.exit_status() == 1);
        CHECK_THAT(failed.err, Catch::Contains("hook createRuntime[1] (/bin/busybox): ended with "
                                               "status 4: not today"));
        CHECK(text_of(seen) == "prestart \"status\": \"creating\"\n"
                               "createRuntime \"status\": \"creating\"\n"
                               "poststop \"status\": \"stopped\"\n");
    }
    SECTION("one does not end") {
        json stuck = Engine::hook("exec sleep 1000");
        stuck["timeout"] = 1;
        engine.config["hooks"]["prestart"] = {stuck};
        CHECK_THAT(engine.create("h3").err, Catch::Contains("longer than its timeout of 1 s"));
    }
    SECTION("that of startContainer fails: the container ends") {
        engine.config["hooks"]["startContainer"] = {Engine::hook("exit 6")};
        REQUIRE(engine.create("h4").exit_status() == 0);
        CHECK_THAT(engine.call({"start", "h4"}).err, Catch::Contains("hook startContainer[0]"));
        (void)engine.await(engine.pid());
        engine.must({"delete", "h4"});
    }
    CHECK(engine.nothing_left());
}

TEST_CASE("Limits of a container change and are told as OCI's engines ask for them") {
    NEED_JAILS();
    Engine engine;
    REQUIRE(engine.create("u1").exit_status() == 0);
    Finished const asked = engine.call({"events", "--stats", "u1"});
    if (asked.exit_status() != 0 || json::parse(asked.out)["data"]["pids"].empty())
        ISO_SKIP("cgroup", "a control group that this user may make: " + asked.err);
    engine.must({"update", "--pids-limit", "77", "--memory", "134217728", "u1"});
    json data = json::parse(engine.must({"events", "--stats", "u1"}))["data"];
    CHECK(data["pids"]["limit"] == 77);
    CHECK(data["memory"]["usage"]["limit"] == 134217728);
    std::ofstream(engine.path("resources")) << R"({"memory": {"limit": 0}, "pids": {"limit": -1}})";
    engine.must({"update", "--resources", engine.path("resources"), "u1"});
    data = json::parse(engine.must({"events", "--stats", "u1"}))["data"];
    CHECK(data["pids"]["limit"].is_null());
    CHECK(data["memory"]["usage"]["limit"] == 134217728);
    CHECK(engine.call({"update", "u1"}).exit_status() == 2);
}

TEST_CASE("features tells no more than what is accepted") {
    NEED_JAILS();
    Engine engine;
    json const features = json::parse(engine.must({"features"}));
    json const& seccomp = features["linux"]["seccomp"];
    json& asked = engine.config["linux"]["seccomp"];
    asked = {{"defaultAction", "SCMP_ACT_ALLOW"},
             {"architectures", seccomp["archs"]},
             {"flags", seccomp["supportedFlags"]},
             {"syscalls", json::array()}};
    int number = 0; // each action and operator, for a call that nobody makes
    for (json const& action : seccomp["actions"])
        for (json const& op : seccomp["operators"])
            asked["syscalls"].push_back(
                {{"names", {"swapoff"}},
                 {"action", action},
                 {"args", {{{"index", 0}, {"value", number++}, {"op", op}}}}});
    // A bind takes every option of a mount; what has contradicting ones takes the last.
    engine.config["mounts"].push_back({{"destination", "/tmp"},
                                       {"type", "bind"},
                                       {"source", "/tmp"},
                                       {"options", features["mountOptions"]}});
    engine.config["mounts"].back()["options"].push_back("rprivate");
    Finished const created = engine.create("f1");
    INFO(created.err);
    CHECK(created.exit_status() == 0);
}

} // namespace
