#include "guest/kernel/vfs.hpp"
#include "guest/tests/unit/tree.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace iso::guest;
using test::find;
using test::name_of;

TEST_CASE("paths lead where they lead on Linux") {
    test::boot();
    Node* node = nullptr;
    REQUIRE(find("/bin/program", node) == 0);
    CHECK(node == vfs::program_node());
    CHECK(find("bin/../bin/./program", node) == 0);
    CHECK(find("///bin//program", node) == 0);
    CHECK(find("/bin/program/", node) == -ENOTDIR);
    CHECK(find("/bin/program/x", node) == -ENOTDIR);
    CHECK(find("/bin/nothing", node) == -ENOENT);
    CHECK(find("", node) == -ENOENT);
    REQUIRE(find("/..", node) == 0);
    CHECK(name_of(node) == "/");
    REQUIRE(find("/data/up/program", node) == 0);
    CHECK(name_of(node) == "/bin/program");
    REQUIRE(find("/data/up", node, false) == 0);
    CHECK(vfs::is_link(node));
    REQUIRE(find("/data/abs", node) == 0);
    CHECK(name_of(node) == "/data/a");
    CHECK(node->size == 4);
    CHECK(find("/data/loop", node) == -ELOOP);
    CHECK(find("/data/gone", node) == -ENOENT);
    REQUIRE(find("/data/empty", node) == 0);
    CHECK(vfs::is_file(node));
    REQUIRE(find("/dev/null", node) == 0);
    CHECK(vfs::is_device(node));
    REQUIRE(find("/proc/self/exe", node) == 0);
    CHECK(node == vfs::program_node());
    CHECK(find("/" + std::string(300, 'x'), node) == -ENAMETOOLONG);
    REQUIRE(find("/tmp", node) == 0);
    CHECK((node->mode & 07777) == 01777);
    char small[3];
    REQUIRE(find("/data", node) == 0);
    Text path;
    CHECK(vfs::path_of(node, small, sizeof small, path) == -ERANGE);
}

TEST_CASE("a place that is free is told from one that is not there") {
    test::boot();
    vfs::Place place;
    auto const at = [&](char const* path) { return vfs::find(vfs::root(), path, true, place); };
    REQUIRE(at("/tmp/new") == 0);
    CHECK(place.node == nullptr);
    CHECK(name_of(place.directory) == "/tmp");
    CHECK(place.name == "new");
    CHECK_FALSE(place.slash);
    REQUIRE(at("/tmp/new//") == 0);
    CHECK(place.slash);
    CHECK(at("/tmp/new/x") == -ENOENT);
    CHECK(at("/data/a/") == -ENOTDIR);
    REQUIRE(at("/data/.") == 0);
    CHECK(place.name == ".");
    REQUIRE(at("/") == 0);
    CHECK(place.name.empty());
    // The name that a dangling link leads to is the place.
    REQUIRE(at("/data/gone") == 0);
    CHECK(place.node == nullptr);
    CHECK(place.name == "nowhere");
    CHECK(name_of(place.directory) == "/data");
}

TEST_CASE("what the engine passed in cannot be written") {
    test::boot();
    Node* node = nullptr;
    REQUIRE(find("/data/a", node) == 0);
    CHECK(vfs::permits(node, 2) == -EROFS);
    CHECK_FALSE(vfs::is_writable(node));
    REQUIRE(find("/dev/shm", node) == 0);
    CHECK(vfs::is_writable(node));
    CHECK(vfs::permits(node, 3) == 0);
    REQUIRE(find("/dev/null", node) == 0);
    CHECK(vfs::permits(node, 6) == 0);
}
