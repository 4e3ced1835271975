#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "isolate/life/store.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::jail;

namespace {

Record record_of(std::string const& name) {
    Record record;
    record.name = name;
    record.boot = boot_id();
    record.keeper = identify(::getpid()).value();
    return record;
}

std::size_t entries(std::string const& directory) {
    std::size_t count = 0;
    for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator(directory))
        ++count;
    return count;
}

} // namespace

TEST_CASE("a name is taken once, and free again when its jail is removed") {
    TempDir const temp = TempDir::create("store").value();
    auto const store = Store::open(temp.path() + "/deep/er");
    REQUIRE(store);
    struct stat info {};
    REQUIRE(::stat(store->path().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    {
        auto jail = store->create(record_of("one"));
        REQUIRE(jail);
        CHECK(jail->read_record()->name == "one");
        auto const again = store->create(record_of("one"));
        REQUIRE_FALSE(again);
        CHECK(again.error().code == EEXIST);
        REQUIRE(store->create(record_of("two")));
        CHECK(store->names().value() == std::vector<std::string>{"one", "two"});
        CHECK(entries(store->path()) == 2); // nothing of the attempt that failed
        CHECK(store->look("one")->record.status == Status::creating);
        REQUIRE(jail->remove());
    }
    CHECK(entries(store->path()) == 1);
    REQUIRE(store->create(record_of("one")));
    auto const missing = store->lock("three");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ENOENT);
    CHECK(missing.error().exit_status == exit_code::no);
    CHECK_FALSE(store->lock("../one"));
    CHECK_FALSE(store->create(record_of("../three")));
}

TEST_CASE("of many processes that want one name exactly one gets it") {
    TempDir const temp = TempDir::create("store").value();
    auto const store = Store::open(temp.path());
    REQUIRE(store);
    constexpr int k_racers = 16;
    Pipe gate = Pipe::create().value();
    std::vector<pid_t> racers;
    for (int i = 0; i < k_racers; ++i) {
        pid_t const pid = ::fork();
        if (pid == 0) {
            gate.write.reset();
            char byte = 0;
            (void)!::read(gate.read.get(), &byte, 1); // all at once, when the gate is closed
            auto const jail = store->create(record_of("prize"));
            ::_exit(jail ? 0 : jail.error().code == EEXIST ? 1 : 2);
        }
        racers.push_back(pid);
    }
    gate.write.reset();
    int won = 0;
    for (pid_t const pid : racers) {
        int status = 0;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) < 2);
        won += WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    CHECK(won == 1);
    CHECK(entries(store->path()) == 1);
}

TEST_CASE("whoever waits for the lock of a jail that is removed meanwhile learns that") {
    TempDir const temp = TempDir::create("store").value();
    auto const store = Store::open(temp.path());
    REQUIRE(store);
    auto jail = store->create(record_of("brief"));
    REQUIRE(jail);
    Pipe began = Pipe::create().value();
    pid_t const pid = ::fork();
    if (pid == 0) {
        jail->unlock(); // the child's copy of the descriptor; the lock stays
        (void)!::write(began.write.get(), "b", 1);
        auto const locked = store->lock("brief");
        ::_exit(!locked && locked.error().code == ENOENT ? 0 : 1);
    }
    char byte = 0;
    REQUIRE(::read(began.read.get(), &byte, 1) == 1);
    REQUIRE(jail->remove());
    jail->unlock();
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}

TEST_CASE("what a killed creator left is swept away and taken for nobody's") {
    TempDir const temp = TempDir::create("store").value();
    auto const store = Store::open(temp.path());
    REQUIRE(store);
    std::filesystem::create_directory(temp.path() + "/.new-0123");
    REQUIRE(Fd::open(temp.path() + "/.new-0123/lock", O_WRONLY | O_CREAT));
    std::filesystem::create_directory(temp.path() + "/.gone-0123");
    CHECK(store->names()->empty());

    pid_t const pid = ::fork();
    if (pid == 0) {
        auto const jail = store->create(record_of("orphan"));
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(WIFSIGNALED(status));
    CHECK(entries(temp.path()) == 1);
    auto const seen = store->look("orphan");
    REQUIRE(seen);
    CHECK(seen->abandoned);
    CHECK(seen->record.status == Status::stopped);

    Record elsewhen = record_of("older"); // of a boot of the machine that is over
    elsewhen.boot = "another";
    elsewhen.status = Status::running;
    elsewhen.init = elsewhen.keeper;
    REQUIRE(store->create(elsewhen));
    CHECK(store->look("older")->record.status == Status::stopped);
}

TEST_CASE("a state directory that others may change is refused") {
    TempDir const temp = TempDir::create("store").value();
    REQUIRE(::chmod(temp.path().c_str(), 0777) == 0);
    auto const open = Store::open(temp.path());
    REQUIRE_FALSE(open);
    CHECK(open.error().hint.find("--state") != std::string::npos);
    REQUIRE(::chmod(temp.path().c_str(), 0700) == 0);
    CHECK(Store::open(temp.path()));
    REQUIRE(::symlink("/etc", (temp.path() + "/link").c_str()) == 0);
    auto const jail = Store::open(temp.path())->lock("link");
    CHECK_FALSE(jail);
}

TEST_CASE("the start socket says whether a jail waits") {
    TempDir const temp = TempDir::create("store").value();
    // Longer than an address of a socket may be.
    std::string const deep = temp.path() + "/" + std::string(200, 'd');
    std::filesystem::create_directory(deep);
    Fd const directory = Fd::open(deep, O_RDONLY | O_DIRECTORY).value();
    CHECK_FALSE(waits_for_start(directory.get()));
    {
        auto const listener = listen_for_start(directory.get());
        REQUIRE(listener);
        CHECK(waits_for_start(directory.get()));
    }
    CHECK_FALSE(waits_for_start(directory.get()));
}
