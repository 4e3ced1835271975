#pragma once

#include "common/fd.hpp"
#include "common/program.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launch.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <sys/stat.h>

/// What the tests of a jail's shape have in common: who calls, and a root to put into the jail.
namespace iso::test {

inline std::string const k_isolate = ISO_BIN_DIR "/isolate";

struct Caller {
    char const* name;
    std::vector<std::string> prefix;
};

inline bool jails_work(Caller const& caller) {
    std::vector<std::string> command = caller.prefix;
    command.insert(command.end(), {k_isolate, "probe"});
    auto const probe = run_and_capture(command, 20'000'000'000);
    return probe && probe->exit_status() == 0;
}

/// The caller as it is and, for root, once more as an ordinary user.
inline std::vector<Caller> callers() {
    std::vector<Caller> all{{"the caller", {}}};
    if (::geteuid() == 0)
        all.push_back(
            {"an ordinary user", {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}});
    std::vector<Caller> able;
    for (Caller const& caller : all) {
        if (jails_work(caller))
            able.push_back(caller);
        else
            iso::test::record_skip("userns", std::string("no jails here as ") + caller.name);
    }
    return able;
}

template <typename Test>
void for_each_caller(Test test) {
    for (Caller const& caller : callers()) {
        INFO("as " << caller.name);
        test(caller);
    }
}

/// A root file system with a busybox, which anybody may use, and write to.
class Rootfs {
public:
    Rootfs()
        : dir_(make()) {
        auto const busybox = find_program("busybox");
        if (!busybox) return;
        std::error_code problem;
        std::filesystem::create_directories(path() + "/bin");
        std::filesystem::copy_file(*busybox, path() + "/bin/busybox", problem);
        for (char const* name : {"sh", "cat", "ls", "id"})
            std::filesystem::create_symlink("busybox", path() + "/bin/" + name, problem);
        for (char const* name : {"", "/bin"})
            ::chmod((path() + name).c_str(), 0777);
        usable_ = !problem;
    }
    [[nodiscard]] std::string path() const { return dir_.path() + "/root"; }
    /// Beside the root: what a way out would lead to.
    [[nodiscard]] std::string outside() const { return dir_.path() + "/outside"; }
    [[nodiscard]] bool usable() const { return usable_; }

private:
    static TempDir make() {
        auto dir = TempDir::create("isolate-shape");
        REQUIRE(dir);
        ::chmod(dir->path().c_str(), 0755);
        std::string const parent = dir->path().substr(0, dir->path().rfind('/'));
        struct stat info {};
        if (::stat(parent.c_str(), &info) == 0 && info.st_uid == ::geteuid() &&
            (info.st_mode & 0777) == 0700)
            ::chmod(parent.c_str(), 0711);
        std::filesystem::create_directory(dir->path() + "/root");
        std::filesystem::create_directory(dir->path() + "/outside");
        ::chmod((dir->path() + "/outside").c_str(), 0777);
        return std::move(*dir);
    }

    TempDir dir_;
    bool usable_ = false;
};

using Words = std::vector<std::string>;

inline Ran jailed(Caller const& caller, Words const& options, Words const& program) {
    Launch launch;
    launch.command = caller.prefix;
    launch.command.insert(launch.command.end(), {k_isolate, "run"});
    launch.command.insert(launch.command.end(), options.begin(), options.end());
    launch.command.push_back("--");
    launch.command.insert(launch.command.end(), program.begin(), program.end());
    return iso::test::launch(launch);
}

/// A shell in a root whose changes are lost.
inline Ran shell(Caller const& caller, Rootfs const& root, Words options,
                 std::string const& script) {
    options.insert(options.end(), {"--root=" + root.path(), "--root-mode=overlay"});
    return jailed(caller, options, {"/bin/sh", "-c", script});
}

inline Words names_in(std::string const& directory) {
    Words names;
    for (auto const& entry : std::filesystem::directory_iterator(directory))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

inline bool overlay_works(Caller const& caller, Rootfs const& root) {
    Ran const ran = shell(caller, root, {}, "true");
    if (ran.status == 0) return true;
    iso::test::record_skip("userns", "overlayfs: " + ran.err);
    return false;
}

} // namespace iso::test

#define NEEDS_ROOTFS(root)                                                                         \
    iso::test::Rootfs const root;                                                                  \
    if (!(root).usable()) ISO_SKIP("busybox", "no busybox to fill a root with")
