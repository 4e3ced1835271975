#include "common/fd.hpp"
#include "common/run_options.hpp"
#include "common/scope_exit.hpp"
#include "tests/support/catch.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace {

using Words = std::vector<std::string>;

struct Parsed {
    iso::RunOptions options;
    iso::CommandLine line;
    std::string out;
    std::string err;
};

/// Points descriptor `fd` to a pipe for the time of `action` and returns what was written.
/// What is written must fit the pipe (64 KiB).
template <typename F>
std::string captured(int fd, F action) {
    auto pipe = iso::Pipe::create().value();
    iso::Fd const old(::dup(fd));
    ::dup2(pipe.write.get(), fd);
    pipe.write.reset();
    action();
    std::cout.flush();
    std::fflush(nullptr);
    ::dup2(old.get(), fd);
    return iso::read_all(pipe.read.get()).value();
}

/// Parses a command line of an engine with the verbs `run` and `probe`.
Parsed parse(Words words) {
    Parsed parsed;
    CLI::App app{"An engine for tests", "engine"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "engine 1.2.3");
    iso::add_run_options(*app.add_subcommand("run", "Runs a program"), parsed.options);
    app.add_subcommand("probe", "Asks the machine");
    words.insert(words.begin(), "engine");
    std::vector<char const*> argv;
    for (std::string const& word : words)
        argv.push_back(word.c_str());
    std::fflush(nullptr);
    parsed.err = captured(2, [&] {
        parsed.out = captured(1, [&] {
            parsed.line = iso::parse_command_line(app, static_cast<int>(argv.size()), argv.data(),
                                                  &parsed.options);
        });
    });
    return parsed;
}

} // namespace

TEST_CASE("every option of run arrives") {
    auto const p = parse({"run",          "--add",
                          "/etc/hosts",   "--add=/a:/b",
                          "--env",        "A=1",
                          "--env=B=2=3",  "--workdir",
                          "/tmp",         "--root",
                          "/usr",         "--timeout",
                          "1.5",          "--memory=64M",
                          "--report-fd",  "9",
                          "--explain",    "--trace",
                          "--stats=json", "--",
                          "./prog",       "x"});
    REQUIRE(p.line.proceed);
    iso::RunOptions const& o = p.options;
    CHECK(o.program == "./prog");
    CHECK(o.arguments == Words{"x"});
    CHECK(o.environment == Words{"A=1", "B=2=3"});
    REQUIRE(o.added.size() == 2);
    CHECK(o.added[0].host == "/etc/hosts");
    CHECK(o.added[0].guest == "/etc/hosts");
    CHECK(o.added[1].host == "/a");
    CHECK(o.added[1].guest == "/b");
    CHECK(o.workdir == "/tmp");
    CHECK(o.root == "/usr");
    CHECK(o.timeout_ns == 1'500'000'000);
    CHECK(o.memory_bytes == 64ULL << 20);
    CHECK(o.report_fd == 9);
    CHECK(o.explain);
    CHECK(o.trace);
    CHECK(o.stats == iso::StatsFormat::json);
}

TEST_CASE("without options there are defaults and nothing is inherited") {
    auto const p = parse({"run", "prog"});
    REQUIRE(p.line.proceed);
    CHECK(p.options.arguments.empty());
    CHECK(p.options.environment.empty());
    CHECK(p.options.workdir == "/");
    CHECK(p.options.report_fd == -1);
    CHECK(p.options.timeout_ns == 0);
    CHECK(p.options.stats == iso::StatsFormat::none);
}

TEST_CASE("from PROGRAM on, every word is the program's") {
    CHECK(parse({"run", "prog", "--explain", "--", "-x", "--help"}).options.arguments ==
          Words{"--explain", "--", "-x", "--help"});
    CHECK(parse({"run", "--", "prog", "--timeout", "3"}).options.arguments ==
          Words{"--timeout", "3"});
    CHECK(parse({"run", "--trace", "prog", "--trace"}).options.arguments == Words{"--trace"});
    CHECK(parse({"run", "--", "--odd-name"}).options.program == "--odd-name");
    CHECK(parse({"run", "prog", "", "a b"}).options.arguments == Words{"", "a b"});
    CHECK(parse({"run", "--env", "A=1", "prog", "run"}).options.arguments == Words{"run"});
    CHECK(parse({"run", "prog", "--"}).options.arguments == Words{"--"});
    CHECK_FALSE(parse({"run", "prog", "--explain"}).options.explain);
}

TEST_CASE("an optional value needs its equals sign") {
    auto const p = parse({"run", "--stats", "prog", "json"});
    REQUIRE(p.line.proceed);
    CHECK(p.options.stats == iso::StatsFormat::text);
    CHECK(p.options.program == "prog");
    CHECK(p.options.arguments == Words{"json"});
}

TEST_CASE("an empty variable and an empty argument stay what they are") {
    auto const p = parse({"run", "--env", "EMPTY=", "prog", ""});
    REQUIRE(p.line.proceed);
    CHECK(p.options.environment == Words{"EMPTY="});
    CHECK(p.options.arguments == Words{""});
}

TEST_CASE("variables keep their order and their bytes") {
    auto const p = parse({"run", "--env=B=[1,2]", "--env", "A=a b", "--env=C=\"q\"", "--env=D={x}",
                          "--env=A=2", "prog"});
    REQUIRE(p.line.proceed);
    CHECK(p.options.environment == Words{"B=[1,2]", "A=a b", "C=\"q\"", "D={x}", "A=2"});
}

TEST_CASE("a wrongly called run ends with 125, one line and a next step") {
    std::vector<Words> const wrong = {
        {"run"},
        {"run", "--"},
        {"run", "--bogus", "prog"},
        {"run", "--timeout"},
        {"run", "--timeout", "soon", "prog"},
        {"run", "--timeout=", "prog"},
        {"run", "--memory", "64Q", "prog"},
        {"run", "--memory=-1", "prog"},
        {"run", "--env", "NOEQUALS", "prog"},
        {"run", "--env", "=x", "prog"},
        {"run", "--env=", "prog"},
        {"run", "--workdir", "relative", "prog"},
        {"run", "--root", "/no/such/directory", "prog"},
        {"run", "--add", "", "prog"},
        {"run", "--add", ":/x", "prog"},
        {"run", "--add", "/x:relative", "prog"},
        {"run", "--add", "relative", "prog"},
        {"run", "--report-fd", "2", "prog"},
        {"run", "--report-fd", "x", "prog"},
        {"run", "--stats=xml", "prog"},
        {"run", "--explain=perhaps", "prog"},
    };
    for (Words const& words : wrong) {
        auto const p = parse(words);
        std::string text;
        for (auto const& word : words)
            text += word + " ";
        INFO(text << "-> " << p.err);
        CHECK_FALSE(p.line.proceed);
        CHECK(p.line.exit_status == 125);
        CHECK(p.out.empty());
        CHECK_THAT(p.err, Catch::StartsWith("engine: "));
        CHECK_THAT(p.err, Catch::EndsWith("; try: engine run --help\n"));
        CHECK(std::count(p.err.begin(), p.err.end(), '\n') == 1);
    }
}

TEST_CASE("another verb called wrongly ends with 2") {
    for (Words const& words : {Words{}, Words{"bogus"}, Words{"probe", "--bogus"}, Words{"--bogus"},
                               Words{"probe", "extra"}}) {
        auto const p = parse(words);
        INFO(p.err);
        CHECK_FALSE(p.line.proceed);
        CHECK(p.line.exit_status == 2);
        CHECK(p.out.empty());
        CHECK_THAT(p.err, Catch::EndsWith("; try: engine --help\n"));
        CHECK(std::count(p.err.begin(), p.err.end(), '\n') == 1);
    }
}

TEST_CASE("help and version go to stdout and end with 0") {
    auto const version = parse({"--version"});
    CHECK(version.line.exit_status == 0);
    CHECK(version.out == "engine 1.2.3\n");
    for (Words const& words :
         {Words{"--help"}, Words{"run", "--help"}, Words{"run", "-h"}, Words{"probe", "--help"}}) {
        auto const p = parse(words);
        CHECK_FALSE(p.line.proceed);
        CHECK(p.line.exit_status == 0);
        CHECK(p.err.empty());
        CHECK_FALSE(p.out.empty());
    }
    std::string const help = parse({"run", "--help"}).out;
    for (char const* word :
         {"PROGRAM", "--timeout", "--memory", "--report-fd", "124", "125", "126", "127", "128+n"})
        CHECK_THAT(help, Catch::Contains(word));
}

TEST_CASE("help is help also when PROGRAM follows") {
    auto const p = parse({"run", "--help", "prog"});
    CHECK(p.line.exit_status == 0);
    CHECK_FALSE(p.line.proceed);
}
