#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/spec_json.hpp"
#include "isolate/spec/spec_samples.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutation.hpp"

namespace {

using namespace iso;
using namespace iso::jail;

JailSpec good_file(std::string const& text) {
    auto const spec = read_jail_file(text, "/base", "web.jail");
    if (!spec) FAIL(spec.error().message());
    return *spec;
}

std::string file_refusal(std::string const& text) {
    auto const spec = read_jail_file(text, "/base", "web.jail");
    INFO(text);
    REQUIRE_FALSE(spec);
    CHECK_FALSE(spec.error().hint.empty());
    return spec.error().op + ": " + spec.error().cause;
}

} // namespace

TEST_CASE("a jail file is read as a person means it") {
    JailSpec const spec = good_file(R"(# The web server's jail.
name     = web
hostname = "web.example"     # quotes do no harm
root       web               # the = may be left out
memory=64M

mount = type=tmpfs,target=/run,size=16m
mount = 'source=my data,target=/data,ro'
terminal
env = GREETING="two words"
command = /bin/sh -c \
          'echo "$GREETING" # no comment' ""
)");
    CHECK(spec.name == "web");
    CHECK(spec.hostname == "web.example");
    CHECK(spec.root.path == "/base/web");
    CHECK(spec.limits.memory == 64U << 20U);
    REQUIRE(spec.mounts.size() == 2);
    CHECK(spec.mounts[0].options == std::vector<std::string>{"size=16m"});
    CHECK(spec.mounts[1].source == "/base/my data");
    CHECK(spec.process.terminal);
    CHECK(spec.process.environment == std::vector<std::string>{"GREETING=two words"});
    CHECK(spec.process.arguments ==
          std::vector<std::string>{"/bin/sh", "-c", "echo \"$GREETING\" # no comment", ""});
    CHECK(good_file("") == JailSpec{});
    CHECK(good_file("# nothing\r\n\r\n") == JailSpec{});
    CHECK(good_file("name = web\r\n").name == "web");
    CHECK(good_file("env = A=\"\\x1b[m\\n\\t\\\\\\\"\"").process.environment[0] ==
          "A=\x1b[m\n\t\\\"");
}

TEST_CASE("a mistake in a jail file is shown by line and column, with what is allowed") {
    CHECK(file_refusal("\n  memmory = 5") == "web.jail:2:3: unknown key 'memmory'");
    CHECK(file_refusal("memory = 12Q") == "web.jail:1:10: memory: '12Q' is unknown unit");
    CHECK(file_refusal("memory = 5 6") == "web.jail:1:12: 'memory' takes one value");
    CHECK(file_refusal("memory =") == "web.jail:1:1: 'memory' without a value");
    CHECK(file_refusal("memory = 5\nmemory = 6") ==
          "web.jail:2:1: 'memory' after 'memory' on line 1: which one counts?");
    CHECK(file_refusal("root = /a\n\nroot-archive = /b") ==
          "web.jail:3:1: 'root-archive' after 'root' on line 1: which one counts?");
    CHECK(file_refusal("name = \"web") == "web.jail:1:8: no closing \" on this line");
    CHECK(file_refusal("name = 'web\n'") == "web.jail:1:8: no closing ' on this line");
    CHECK(file_refusal("name = \"\\q\"") == "web.jail:1:9: an unknown escape");
    CHECK(file_refusal("name = \"a\\x0\"") == "web.jail:1:10: \\x without two hex digits");
    CHECK(file_refusal("env = A=\"\\x00\"") == "web.jail:1:10: a NUL byte");
    CHECK(file_refusal(std::string("env = A=\0", 9)) ==
          "web.jail:1:9: the byte 0x00 outside quotes");
    CHECK(file_refusal("env = 'A=" + std::string(1, '\0') + "'") == "web.jail:1:10: a NUL byte");
    CHECK(file_refusal("name = x\nlike = docker") ==
          "web.jail:2:1: 'like' would undo what stands before it");
    CHECK(file_refusal("like = x") ==
          "web.jail:1:8: like: 'x' is no system that isolate can be like");
    CHECK(file_refusal("= 5") == "web.jail:1:1: a line cannot begin with '='");
    CHECK(file_refusal("include /etc/passwd") == "web.jail:1:1: unknown key 'include'");
    CHECK(file_refusal("Name = x") == "web.jail:1:1: a line cannot begin with 'N'");
    CHECK(file_refusal("na.me = x") == "web.jail:1:3: '.' in the name of a key");
    CHECK(file_refusal("\xef\xbb\xbfname = x") ==
          "web.jail:1:1: a line cannot begin with the byte 0xef");
    CHECK_THAT(file_refusal(std::string(k_max_jail_file_bytes + 1, '#')),
               Catch::Contains("at most"));
    auto const similar = read_jail_file("memmory = 5", "/", "f");
    CHECK(similar.error().hint == "memory");
}

TEST_CASE("a jail file that is written is read as the same jail", "[random]") {
    for (int seed = 0; seed < 2000; ++seed) {
        JailSpec const spec = samples::jail(seed);
        std::string const text = write_jail_file(spec);
        INFO("seed " << seed << "\n" << text);
        REQUIRE(spec_to_json(good_file(text)) == spec_to_json(spec));
        REQUIRE(good_file(text) == spec);
        // Nothing of it acts on the terminal that shows it.
        REQUIRE(text.find_first_of(std::string("\x1b\x7f\x01\r\t")) == std::string::npos);
    }
}

TEST_CASE("paths are relative to the folder of the file, through symbolic links too") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const path = dir->path() + "/a.jail";
    { REQUIRE(Fd::open(path, O_CREAT | O_WRONLY, 0644)); }
    REQUIRE(write_file(path, "root = r\n"));
    auto const spec = load_jail_file(path);
    REQUIRE(spec);
    char resolved[PATH_MAX];
    REQUIRE(::realpath(dir->path().c_str(), resolved) != nullptr);
    CHECK(spec->root.path == std::string(resolved) + "/r");
    CHECK_FALSE(load_jail_file(dir->path() + "/missing"));
    CHECK_FALSE(load_jail_file(dir->path()));
}

TEST_CASE("a mutated jail file is refused at a place within it, or is a jail that can be written",
          "[random]") {
    iso::test::Mutations mutations("\"'\\#=\n ,x{}0");
    std::vector<std::string> texts;
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        texts.push_back(write_jail_file(samples::jail(seed)));
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string const text = mutations.of(texts[static_cast<std::size_t>(round) % 50]);
        auto const spec = read_jail_file(text, "/base", "f");
        if (spec) {
            ++accepted;
            REQUIRE(good_file(write_jail_file(*spec)) == *spec);
            continue;
        }
        std::size_t line = 0, column = 0;
        REQUIRE(std::sscanf(spec.error().op.c_str(), "f:%zu:%zu", &line, &column) == 2);
        REQUIRE((line >= 1 && column >= 1));
        REQUIRE(line <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
        REQUIRE_FALSE(spec.error().cause.empty());
    }
    CHECK(accepted > 100);
}
