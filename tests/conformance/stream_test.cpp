// What goes in and out: descriptors, arguments, environment, refused calls.
#include "common/sha256.hpp"
#include "tests/conformance/arena.hpp"

namespace {

using namespace iso::test;

std::string binary(std::size_t size) {
    std::string text(size, '\0');
    std::uint64_t word = 1;
    for (char& c : text)
        c = static_cast<char>((word = word * 6364136223846793005U + 1442695040888963407U) >> 56U);
    return text;
}

} // namespace

ISO_CONFORMANCE("stdin arrives byte for byte, and its end", "[stream]") {
    for (std::size_t const size : {0U, 1U, 4096U, 300'001U}) {
        Job job = behave("stdin");
        job.launch.input = binary(size);
        Ran const ran = arena.run(job);
        CHECK(ran.status == 0);
        CHECK(ran.out.size() == size);
        CHECK((ran.out == job.launch.input));
    }
}

ISO_CONFORMANCE("a program that ignores its stdin is not held up by it", "[stream]") {
    Job job = behave("exit=3");
    job.launch.input = binary(1 << 20);
    CHECK(arena.run(job).status == 3);
}

ISO_CONFORMANCE("arguments and environment arrive exactly", "[stream]") {
    Job job = behave("args");
    job.arguments.insert(job.arguments.end(),
                         {"", "a b", "--help", "--", "-x", "\xc3\xa4\xff", "line\nbreak", "'\"\\$`",
                          "A=1", std::string(10'000, 'z')});
    job.environment = {"EMPTY=",
                       "PATH=/bin",
                       "TWICE=1",
                       "TWICE=2",
                       "SPACED=a b",
                       "LIST=[1,2]",
                       "LONG=" + std::string(10'000, 'y'),
                       "BYTES=\xff\x01",
                       "NESTED=a=b=c"};
    require_same(arena, job);
    Job const bare = behave("args");
    CHECK_THAT(require_same(arena, bare).out, !Catch::Contains("variable"));
}

ISO_CONFORMANCE("a thousand arguments arrive", "[stream]") {
    Job job = behave("args");
    for (int i = 0; i < 1000; ++i)
        job.arguments.push_back("argument-" + std::to_string(i));
    require_same(arena, job);
}

ISO_CONFORMANCE("8 MiB of output arrive complete", "[stream]") {
    Ran const ran = require_same(arena, behave("flood=8388608"));
    CHECK(ran.out.size() == 8'388'608);
}

ISO_CONFORMANCE("small writes to both outputs keep their order", "[stream]") {
    Ran const ran = require_same(arena, behave("chatter=400"));
    CHECK_THAT(ran.out, Catch::StartsWith("line 0\nline 2\n") && Catch::EndsWith("line 398\n"));
    CHECK_THAT(ran.err, Catch::StartsWith("line 1\nline 3\n") && Catch::EndsWith("line 399\n"));
}

ISO_CONFORMANCE("output before a crash is not lost", "[stream]") {
    Job job = behave("args"); // prints, then ends
    require_same(arena, job);
    Job looping = behave("hang-after-output");
    looping.timeout_ns = 1'500'000'000;
    Ran const ran = arena.run(looping);
    CHECK(ran.status == 124);
    CHECK(ran.out == "before\nno newline");
    Ran const crashed = require_same(arena, behave("crash-after-output"));
    CHECK(crashed.status == 139);
    CHECK(crashed.out == "before\nno newline");
}

ISO_CONFORMANCE("a reader that went away ends the program as it would natively", "[stream]") {
    Job job = behave("flood=1000000");
    job.launch.out = Launch::Out::broken;
    CHECK(require_same(arena, job).status == 141); // SIGPIPE
}

ISO_CONFORMANCE("a closed stdout is EBADF for the program", "[stream]") {
    Job job = behave("flood=1000");
    job.launch.out = Launch::Out::closed;
    CHECK(require_same(arena, job).status == 4);
}

ISO_CONFORMANCE("a full disk is ENOSPC for the program", "[stream]") {
    Job job = behave("flood=1000");
    job.launch.out = Launch::Out::full;
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 4);
    CHECK(ran.err == "flood: errno 28\n");
}

ISO_CONFORMANCE("descriptors other than 0, 1 and 2 stay outside", "[stream]") {
    Ran const ran = arena.run(behave("fds"));
    CHECK(ran.out == "open 0\nopen 1\nopen 2\n");
}

ISO_CONFORMANCE("bad pointers give the errno that Linux gives", "[stream]") {
    Job job = behave("badptr");
    job.launch.input = std::string(100, 'x');
    require_same(arena, job);
}

ISO_CONFORMANCE("unknown system calls give ENOSYS", "[stream]") {
    require_same(arena, behave("nosys"));
}

ISO_CONFORMANCE("an engine says nothing of its own unless asked", "[stream]") {
    Ran const silent = arena.run(behave("exit=0"));
    CHECK(silent.out.empty());
    CHECK(silent.err.empty());
    for (char const* option : {"--explain", "--trace", "--stats", "--stats=json"}) {
        Job job = behave("chatter=2");
        job.engine_options = {option};
        Ran const ran = arena.run(job);
        INFO(option);
        CHECK(ran.status == 0);
        CHECK(ran.out == "line 0\n"); // stdout is the program's alone
        CHECK(ran.err.size() > std::string("line 1\n").size());
    }
}
