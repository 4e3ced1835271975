#include "common/program.hpp"
#include "common/scope_exit.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

void make_file(std::string const& path, fs::perms permissions) {
    std::ofstream(path) << "x";
    fs::permissions(path, permissions);
}

} // namespace

TEST_CASE("a program is found as a shell finds it") {
    auto const dir = iso::TempDir::create("iso-program-test").value();
    fs::create_directories(dir.path() + "/one/tool"); // a directory in PATH's way is passed over
    fs::create_directory(dir.path() + "/two");
    make_file(dir.path() + "/two/tool", fs::perms::owner_all);
    fs::create_symlink("tool", dir.path() + "/two/link");
    std::string const old = std::getenv("PATH");
    ::setenv("PATH", (dir.path() + "/one:" + dir.path() + "/two").c_str(), 1);
    iso::ScopeExit const restore([&] { ::setenv("PATH", old.c_str(), 1); });

    std::string const real = fs::canonical(dir.path() + "/two/tool");
    CHECK(iso::find_program("tool").value() == real);
    CHECK(iso::find_program("link").value() == real);
    CHECK(iso::find_program(dir.path() + "/two/../two/tool").value() == real);
}

TEST_CASE("what cannot be run is told apart from what is not there") {
    auto const dir = iso::TempDir::create("iso-program-test").value();
    make_file(dir.path() + "/plain", fs::perms::owner_read);
    fs::create_symlink("loop", dir.path() + "/loop");
    fs::create_symlink("nowhere", dir.path() + "/dangling");
    auto const status = [&](std::string const& name) {
        auto const found = iso::find_program(name);
        REQUIRE_FALSE(found.has_value());
        CHECK_THAT(found.error().op, Catch::Contains(name));
        CHECK_FALSE(found.error().cause.empty());
        return found.error().exit_status;
    };
    CHECK(status(dir.path() + "/missing") == 127);
    CHECK(status(dir.path() + "/plain/below") == 127);
    CHECK(status(dir.path() + "/dangling") == 127);
    CHECK(status("no-such-program-anywhere") == 127);
    CHECK(status("") == 127);
    CHECK(status(dir.path()) == 126);
    CHECK(status(dir.path() + "/plain") == 126);
    CHECK(status(dir.path() + "/loop") == 126);
    CHECK(status("/dev/null") == 126);
    CHECK(status("./" + std::string(300, 'x')) == 126); // ENAMETOOLONG
}

TEST_CASE("the directory of the running program") {
    CHECK(iso::own_directory().value() == fs::canonical("/proc/self/exe").parent_path());
}
