// What isolate says about descriptions of jails: check, import, like, and run --file.
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"

namespace {

using namespace iso;
using namespace iso::test;

std::string written(TempDir const& dir, std::string const& name, std::string const& text) {
    std::string path = dir.path() + "/" + name;
    { REQUIRE(Fd::open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644)); }
    REQUIRE(write_file(path, text));
    return path;
}

} // namespace

TEST_CASE("isolate check says that a jail file is right, or where it is not", "[isolate]") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const right = written(*dir, "right.jail", "name = web\nmemory = 64M\n");
    Ran const ran = call("isolate", {"check", right});
    CHECK(ran.status == 0);
    CHECK(ran.out == right + ": no mistake in it\n");
    CHECK(ran.err.empty());

    std::string const wrong = written(*dir, "wrong.jail", "name = web\n  memmory = 64M\n");
    Ran const refused = call("isolate", {"check", wrong});
    check_told("isolate", refused, 1);
    CHECK_THAT(refused.err, Catch::Contains(wrong + ":2:3: unknown key 'memmory'") &&
                                Catch::Contains("try: memory"));
    check_told("isolate", call("isolate", {"check", dir->path() + "/missing"}), 1);
    CHECK(call("isolate", {"check"}).status == 2);
    Ran const keys = call("isolate", {"check", "--keys"});
    CHECK(keys.status == 0);
    CHECK_THAT(keys.out, Catch::Contains("memory = SIZE"));
}

TEST_CASE("isolate import writes a jail file and says what is lost", "[isolate]") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const conf =
        written(*dir, "jail.conf", "web { path = /srv/web; securelevel = 2; }\n");
    Ran const ran = call("isolate", {"import", conf});
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, Catch::Contains("root = /srv/web\n"));
    CHECK_THAT(ran.err, Catch::Contains("securelevel = 2") &&
                            Catch::Contains("freebsd-jail: 2 kept, 0 approximated, 1 lost"));
    std::string const out = dir->path() + "/web.jail";
    Launch to_file; // not by call(): here a file shall be left behind
    to_file.command = {program_path("isolate"), "import", conf, "-o", out};
    CHECK(launch(to_file).status == 0);
    CHECK(call("isolate", {"check", out}).status == 0);
    // What is there already is not written over.
    check_told("isolate", call("isolate", {"import", conf, "-o", out}), 1);
    check_told("isolate", call("isolate", {"import", "--from", "windows", conf}), 2);
    CHECK(call("isolate", {"import"}).status == 2);
}

TEST_CASE("isolate like shows a system beside isolate", "[isolate]") {
    Ran const all = call("isolate", {"like"});
    CHECK(all.status == 0);
    CHECK(std::count(all.out.begin(), all.out.end(), '\n') == 8);
    Ran const one = call("isolate", {"like", "freebsd-jail"});
    CHECK(one.status == 0);
    CHECK_THAT(one.out, Catch::Contains("FreeBSD jail") && Catch::Contains("[jail(8)"));
    check_told("isolate", call("isolate", {"like", "windows"}), 2);
}

TEST_CASE("isolate spec writes a config.json that isolate reads", "[isolate]") {
    for (Words const& more : {Words{}, Words{"--rootless"}}) {
        auto const dir = TempDir::create("isolate-test");
        REQUIRE(dir);
        Launch spec; // not by call(): here a file shall be left behind
        spec.command = {program_path("isolate"), "spec", "--bundle", dir->path()};
        spec.command.insert(spec.command.end(), more.begin(), more.end());
        CHECK(launch(spec).status == 0);
        Ran const read = call("isolate", {"import", dir->path()});
        CHECK(read.status == 0);
        CHECK_THAT(read.out, Catch::Contains("command = sh\n"));
        // What is there already is not written over.
        check_told("isolate", call("isolate", {"spec", "--bundle", dir->path()}), 1);
    }
}

TEST_CASE("isolate run --file runs what a jail file says", "[isolate]") {
    if (call("isolate", {"probe"}).status != 0) ISO_SKIP("userns", "no jail can be made here");
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const hello = workload_path("hello");
    std::string const file =
        written(*dir, "hello.jail", "hostname = web\ncommand = " + hello + "\n");
    Launch native;
    native.command = {hello};
    Ran const natively = launch(native);
    REQUIRE(natively.status == 0);
    Ran const ran = call("isolate", {"run", "--file", file});
    CHECK(ran.status == 0);
    CHECK(ran.out.substr(0, 5) == natively.out.substr(0, 5));
    // The command line's program takes the place of the file's.
    std::string const other = written(*dir, "other.jail", "command = /missing\n");
    CHECK(call("isolate", {"run", "--file", other}).status == 127);
    CHECK(call("isolate", {"run", "--file", other, "--", hello}).status == 0);
    std::string const none = written(*dir, "none.jail", "hostname = web\n");
    check_told("isolate", call("isolate", {"run", "--file", none}), 125);
    check_told("isolate", call("isolate", {"run", "--file", dir->path() + "/missing"}), 125);
}
