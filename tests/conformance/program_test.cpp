// Programs that are not ours: what they print is the same natively and in every engine.
#include "common/temp_dir.hpp"
#include "tests/conformance/arena.hpp"

#include <filesystem>
#include <unistd.h>

namespace {

using namespace iso::test;

constexpr char const* k_busybox = "/bin/busybox";
constexpr std::uint64_t k_patience_ns = 280'000'000'000; // ring 0 may be emulated, one by one

#define NEED_PROGRAM(path, package)                                                                \
    if (::access(path, X_OK) != 0) ISO_SKIP(package, path " is not installed")

std::string script(std::string const& name) {
    return std::string(ISO_SCRIPT_DIR "/") + name;
}

/// A directory of the program's own: $D. Engines without the host's /tmp have it made inside.
struct Scratch {
    iso::TempDir dir = iso::TempDir::create("isolab-program").value();

    /// No PATH that leads anywhere: a shell finds its own applets only.
    [[nodiscard]] Job job(std::string program, std::vector<std::string> arguments) const {
        Job job;
        job.program = std::move(program);
        job.arguments = std::move(arguments);
        job.environment = {"PATH=/none", "D=" + dir.path()};
        job.launch.patience_ns = k_patience_ns;
        return job;
    }
    [[nodiscard]] Job script_job(std::string shell, std::vector<std::string> arguments,
                                 std::string const& name) const {
        arguments.insert(arguments.end(),
                         {"-c", R"(mkdir -p "$D" 2>/dev/null; cd "$D" 2>/dev/null; . "$1")", "sh",
                          script(name)});
        Job job = this->job(std::move(shell), std::move(arguments));
        job.added = {{script(name), script(name)}};
        return job;
    }
};

void same_script(Arena const& arena, char const* shell, std::vector<std::string> arguments,
                 char const* name) {
    Scratch const scratch;
    Ran const ran = require_same(arena, scratch.script_job(shell, std::move(arguments), name));
    CHECK(!ran.out.empty());
}

void same_busybox(Arena const& arena, std::string const& commands) {
    NEED_PROGRAM("/bin/busybox", "busybox-static");
    Scratch const scratch;
    Ran const ran = require_same(
        arena, scratch.job(k_busybox, {"sh", "-c", "mkdir -p \"$D\"; cd \"$D\"; " + commands}));
    CHECK(ran.status == 0);
}

} // namespace

ISO_CONFORMANCE("busybox: the language of its shell", "[program]") {
    NEED_PROGRAM("/bin/busybox", "busybox-static");
    same_script(arena, k_busybox, {"sh"}, "language.sh");
}
ISO_CONFORMANCE("busybox: jobs, traps, timeouts", "[program]") {
    NEED_PROGRAM("/bin/busybox", "busybox-static");
    same_script(arena, k_busybox, {"sh"}, "jobs.sh");
}
ISO_CONFORMANCE("busybox: pipelines", "[program]") {
    NEED_PROGRAM("/bin/busybox", "busybox-static");
    same_script(arena, k_busybox, {"sh"}, "pipelines.sh");
}
ISO_CONFORMANCE("busybox: files, archives, compression", "[program]") {
    NEED_PROGRAM("/bin/busybox", "busybox-static");
    same_script(arena, k_busybox, {"sh"}, "files.sh");
}
ISO_CONFORMANCE("busybox: sha256sum of 64 MiB made by dd", "[program]") {
    same_busybox(arena, "dd if=/dev/zero of=big bs=1M count=64 2>/dev/null; "
                        "sha256sum <big; stat -c %s big; rm big");
}
ISO_CONFORMANCE("busybox: 64 MiB through a pipeline", "[program]") {
    same_busybox(arena, "dd if=/dev/zero bs=64k count=1024 2>/dev/null | cat | sha256sum");
}
ISO_CONFORMANCE("bash: arrays, process substitution, coprocesses, job control", "[program]") {
    NEED_PROGRAM("/bin/bash-static", "bash-static");
    same_script(arena, "/bin/bash-static", {}, "bash.sh");
}
ISO_CONFORMANCE("zsh: its parser and children", "[program]") {
    NEED_PROGRAM("/bin/zsh-static", "zsh-static");
    same_script(arena, "/bin/zsh-static", {"-f"}, "zsh.sh");
}
ISO_CONFORMANCE("a C++ program with threads, exceptions, futures", "[program]") {
    Scratch const scratch;
    Ran const ran = require_same(arena, scratch.job(ISO_TEST_PROGRAM_DIR "/modern", {}));
    CHECK(ran.status == 0);
}
ISO_CONFORMANCE("Lua runs a script", "[program]") {
    NEED_PROGRAM(ISO_TEST_PROGRAM_DIR "/lua", "liblua5.4-dev");
    Scratch const scratch;
    Job job = scratch.job(ISO_TEST_PROGRAM_DIR "/lua", {script("script.lua")});
    job.added = {{script("script.lua"), script("script.lua")}};
    job.environment[1] = "D=/tmp";
    CHECK(require_same(arena, job).status == 0);
}
ISO_CONFORMANCE("SQLite works on a database in a file", "[program]") {
    NEED_PROGRAM(ISO_TEST_PROGRAM_DIR "/sqlite", "libsqlite3-dev");
    // Natively beside others: a name of this run's own.
    std::string const database = "/tmp/isolab-sqlite." + std::to_string(::getpid());
    Scratch const scratch;
    Job job = scratch.job(ISO_TEST_PROGRAM_DIR "/sqlite", {database, script("script.sql")});
    job.added = {{script("script.sql"), script("script.sql")}};
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 1); // the last statement
    CHECK_THAT(ran.out, Catch::Contains("ok\n"));
    for (char const* rest : {"", "-wal", "-shm", "-journal"})
        std::filesystem::remove(database + rest);
}
