// What a program finds in the file system.
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/conformance/arena.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace {

using namespace iso::test;

} // namespace

ISO_CONFORMANCE("the program is there, read-only, under its own path", "[file]") {
    Job job = behave("cat=" + behave("").program);
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 0);
    Ran const written = arena.run(behave("write=" + job.program));
    INFO(written.out);
    CHECK(written.out != "openat: 0\n");
}

ISO_CONFORMANCE("nothing else of the host is there", "[file]") {
    for (char const* path : {"/etc/passwd", "/bin/sh", "/root", "/home", "/usr/bin/env"})
        CHECK(arena.run(behave(std::string("cat=") + path)).out == "openat: errno 2\n");
}

ISO_CONFORMANCE("/dev/null and /dev/zero are there", "[file]") {
    Ran const ran = require_same(arena, behave("cat=/dev/null"));
    CHECK(ran.status == 0);
    CHECK(require_same(arena, behave("write=/dev/null")).out == "openat: 0\n");
    CHECK(require_same(arena, behave("write=/dev/zero")).out == "openat: 0\n");
}

ISO_CONFORMANCE("--add shows a file and a directory, read-only", "[file]") {
    auto const dir = iso::TempDir::create("isolab-conformance").value();
    std::filesystem::create_directories(dir.path() + "/tree/below");
    std::string const text = std::string(10'000, 'q') + "\nend\n";
    std::ofstream(dir.path() + "/one") << text;
    std::ofstream(dir.path() + "/tree/below/two") << "second\n";
    std::ofstream(dir.path() + "/empty");

    auto const with_added = [&](std::string const& mode) {
        Job job = behave(mode);
        job.added = {{dir.path() + "/one", dir.path() + "/one"},
                     {dir.path() + "/one", "/elsewhere/renamed"},
                     {dir.path() + "/tree", "/tree"},
                     {dir.path() + "/empty", "/empty"}};
        return arena.run(job);
    };
    CHECK(with_added("cat=" + dir.path() + "/one").out == text);
    CHECK(with_added("cat=/elsewhere/renamed").out == text);
    CHECK(with_added("cat=/tree/below/two").out == "second\n");
    CHECK(with_added("cat=/empty").status == 0);
    CHECK(with_added("cat=/tree/absent").out == "openat: errno 2\n");
    CHECK(with_added("write=/elsewhere/renamed").out != "openat: 0\n");
    CHECK(with_added("write=/tree/below/two").out != "openat: 0\n");
    CHECK(iso::read_file(dir.path() + "/one").value() == text);
}

ISO_CONFORMANCE("--workdir is where relative paths begin", "[file]") {
    auto const dir = iso::TempDir::create("isolab-conformance").value();
    // Everybody may enter it: inside, the program is not the host's root.
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
    std::ofstream(dir.path() + "/note") << "found\n";
    Job job = behave("cat=note");
    job.added = {{dir.path(), "/inside"}};
    job.workdir = "/inside";
    CHECK(arena.run(job).out == "found\n");
    job.workdir = "/";
    CHECK(arena.run(job).out == "openat: errno 2\n");
}

ISO_CONFORMANCE("what --add cannot add is a failure of the engine, told", "[file]") {
    Job job = behave("exit=0");
    job.added = {{"/no/such/file", "/x"}};
    Ran const ran = arena.run(job);
    CHECK(ran.status == 125);
    CHECK_THAT(ran.err, Catch::StartsWith(arena.name() + ": ") && Catch::Contains("/no/such/file"));
    auto const report = Arena::report(ran);
    CHECK(report.ended == iso::Ended::engine_failed);
    CHECK(report.failure.has_value());
}

ISO_CONFORMANCE("files, directories, links, pipes and locks do what they do natively", "[file]") {
    Job job;
    job.program = ISO_GUEST_PROGRAM_DIR "/guest-files";
    job.arguments = {"/tmp/isolab-files." + std::to_string(::getpid())}; // made and removed by it
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, Catch::EndsWith("home 0\n"));
}

ISO_CONFORMANCE("processes meet in files as they do natively", "[file]") {
    Job job;
    job.program = ISO_GUEST_PROGRAM_DIR "/guest-sharing";
    job.arguments = {"/tmp/isolab-shared." + std::to_string(::getpid())};
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 0);
}
