#include "benchmarks/gate/side.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fcntl.h>

#include <sys/stat.h>

using namespace iso;
using namespace iso::bench;

namespace {

void touch(std::string const& path, mode_t mode = 0644) {
    Fd const fd = Fd::open(path, O_WRONLY | O_CREAT, mode).value();
}

} // namespace

TEST_CASE("a side is a file, a tree or a revision, and nothing else") {
    TempDir const place = TempDir::create("isobench-side").value();
    std::string const file = place.path() + "/result.json";
    touch(file);
    CHECK(resolve_side("--base", file)->kind == Side::Kind::file);

    for (char const* const folder : {"", "/bin", "/build", "/build/bin"})
        ::mkdir((place.path() + folder).c_str(), 0755);
    auto const empty = resolve_side("--base", place.path());
    REQUIRE_FALSE(empty);
    CHECK(empty.error().exit_status == 2);
    ::mkdir((place.path() + "/isolate").c_str(), 0755); // a folder of that name is no engine
    CHECK_FALSE(resolve_side("--base", place.path()));

    touch(place.path() + "/build/bin/isolate", 0755);
    ::mkdir((place.path() + "/build/workloads").c_str(), 0755);
    auto const tree = resolve_side("--base", place.path());
    REQUIRE(tree);
    CHECK(tree->kind == Side::Kind::tree);
    CHECK(tree->path.ends_with("/build/bin"));
    CHECK(tree->workloads.ends_with("/build/workloads"));

    auto const nothing = resolve_side("--head", "no-such-thing-anywhere");
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().exit_status == 2);
    CHECK(nothing.error().op == "--head no-such-thing-anywhere");
    CHECK_FALSE(resolve_side("--head", "--all")); // no option for git
}
