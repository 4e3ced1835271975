#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <fstream>
#include <unistd.h>

#include <sys/wait.h>

using iso::TempDir;

namespace {

bool is_there(std::string const& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

/// Makes one in a process that is killed; returns its path.
std::string made_by_the_dead(std::string const& prefix) {
    iso::Pipe pipe = iso::Pipe::create().value();
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto const made = TempDir::create_held(prefix);
        std::ofstream(made->path() + "/file") << "left";
        (void)iso::write_all(pipe.write.get(), made->path());
        ::kill(::getpid(), SIGKILL);
    }
    pipe.write.reset();
    std::string path = iso::read_all(pipe.read.get()).value();
    ::waitpid(child, nullptr, 0);
    return path;
}

} // namespace

TEST_CASE("directories of the dead are removed, those of the living are not") {
    std::string const prefix = "isolab-temp-dir-test";
    TempDir const living = TempDir::create_held(prefix).value();
    TempDir const other = TempDir::create(prefix + "2").value(); // another prefix: not looked at
    std::string const dead = made_by_the_dead(prefix);
    REQUIRE(is_there(dead + "/file"));
    std::vector<std::string> seen;
    TempDir::remove_abandoned(prefix, [&](std::string const& path) {
        seen.push_back(path);
        CHECK(is_there(path + "/file"));
    });
    CHECK(seen == std::vector<std::string>{dead});
    CHECK_FALSE(is_there(dead));
    CHECK(is_there(living.path()));
    CHECK(is_there(other.path()));
}

TEST_CASE("a held directory goes with its owner, and moves with it") {
    std::string path;
    {
        TempDir first = TempDir::create_held("isolab-temp-dir-test").value();
        path = first.path();
        TempDir const second = std::move(first);
        TempDir::remove_abandoned("isolab-temp-dir-test");
        CHECK(is_there(path));
    }
    CHECK_FALSE(is_there(path));
}
