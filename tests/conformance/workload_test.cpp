// Every workload in every engine: the same bytes, the same result, a clock that agrees.
#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"
#include "tests/conformance/arena.hpp"

#include <cstdlib>

namespace {

using namespace iso::test;
using nlohmann::json;

Job job_of(std::string const& name, std::vector<std::string> arguments) {
    Job job;
    job.program = workload(name);
    job.arguments = std::move(arguments);
    return job;
}

/// The one line of a workload as JSON.
json line_of(Ran const& ran) {
    INFO(ran.out);
    REQUIRE(ran.status == 0);
    CHECK(ran.err.empty());
    REQUIRE(!ran.out.empty());
    CHECK(ran.out.find('\n') == ran.out.size() - 1);
    json line = json::parse(ran.out, nullptr, false);
    REQUIRE(line.is_object());
    return line;
}

/// Without what a clock makes different from run to run.
json timeless(json line) {
    for (char const* key : {"ns", "entry_ns"})
        line.erase(key);
    return line;
}

std::string mapped_identity(std::string const& path) {
    std::string const text = iso::read_file(path).value();
    auto const bytes = std::as_bytes(std::span(text));
    return iso::ElfImage::parse(bytes, path).value().mapped_sha256(bytes);
}

void check_workload(Arena const& arena, std::string const& name,
                    std::vector<std::string> const& arguments) {
    Job const job = job_of(name, arguments);
    json const native = line_of(run_native(job));
    Ran const ran = arena.run(job);
    json const line = line_of(ran);
    CHECK(timeless(line) == timeless(native));
    CHECK(line.at("workload") == name);

    // The engine's clock is the host's: the program began between control passing to it and its
    // end. A guest computes the time from the TSC; a millisecond is far more than that may be off.
    constexpr std::uint64_t k_slack = 1'000'000;
    auto const entry = line.at("entry_ns").get<std::uint64_t>();
    auto const phases = Arena::report(ran).phases;
    REQUIRE(phases.enter.has_value());
    REQUIRE(phases.exit.has_value());
    CHECK(entry + k_slack >= *phases.enter);
    CHECK(entry <= *phases.exit + k_slack);
    if (line.contains("ns"))
        CHECK(line.at("ns").get<std::uint64_t>() <= *phases.exit - *phases.enter + k_slack);

    json const identity = line_of(arena.run(job_of(name, {"identity=1"})));
    CHECK(identity == json{{"workload", name}, {"identity", mapped_identity(job.program)}});

    CHECK(timeless(line_of(run_native(job_of(name, arguments)))) == timeless(line)); // and again
}

/// The same result as natively; returns the engine's line.
json check_same(Arena const& arena, std::string const& name,
                std::vector<std::string> const& arguments) {
    Job const job = job_of(name, arguments);
    json line = line_of(arena.run(job));
    INFO(name);
    CHECK(timeless(line) == timeless(line_of(run_native(job))));
    return line;
}

void check_or_not_available(Arena const& arena, std::string const& name,
                            std::vector<std::string> const& arguments, std::string const& what,
                            bool as_native) {
    Job const job = job_of(name, arguments);
    Ran const native = run_native(job);
    Ran const ran = arena.run(job);
    if (as_native) CHECK(ran.status == native.status);
    if (ran.status == 0 && native.status == 0) {
        CHECK(timeless(line_of(ran)) == timeless(line_of(native)));
        return;
    }
    for (Ran const& one : {native, ran}) {
        if (one.status == 0) continue;
        INFO(one.out << one.err);
        CHECK(one.status == 4);
        json const line = json::parse(one.out, nullptr, false);
        REQUIRE(line.is_object());
        CHECK(line.at("workload") == name);
        CHECK(line.at("not_available").get<std::string>().starts_with(what));
    }
}

} // namespace

ISO_CONFORMANCE("what start-up and the processor cost", "[workload]") {
    check_workload(arena, "hello", {});
    check_workload(arena, "cpu-int", {"ops=100000", "seed=7"});
    check_workload(arena, "cpu-fp", {"ops=50", "seed=7"});
    check_workload(arena, "cpu-simd", {"ops=100000", "seed=7"});
    check_workload(arena, "cpu-hash", {"ops=20", "seed=7"});
    check_workload(arena, "cpu-compress", {"ops=10", "seed=7"});
}
ISO_CONFORMANCE("memory and its pages", "[workload]") {
    check_workload(arena, "mem-stream", {"ops=2", "size=1M"});
    for (char const* kernel : {"kernel=copy", "kernel=scale", "kernel=add", "kernel=triad"})
        check_same(arena, "mem-stream", {"ops=2", "size=64K", kernel});
    check_workload(arena, "mem-chase", {"ops=10000", "size=1M"});
    check_workload(arena, "page-fault", {"ops=2100"});
    check_same(arena, "page-fault", {"ops=10", "pages=1"});
    check_same(arena, "page-fault", {"ops=10", "pages=8", "stride=64"});
    check_workload(arena, "cow-fault", {"ops=40", "pages=32"});
}
ISO_CONFORMANCE("system calls", "[workload]") {
    check_workload(arena, "syscall-null", {"ops=100"});
    check_workload(arena, "read-small", {"ops=100"});
    check_workload(arena, "write-small", {"ops=100"});
    check_workload(arena, "open-close", {"ops=20"});
    check_workload(arena, "stat-file", {"ops=20"});
}
ISO_CONFORMANCE("processes and threads", "[workload]") {
    check_workload(arena, "pipe-pingpong", {"ops=20"});
    check_workload(arena, "futex-pingpong", {"ops=20"});
    check_workload(arena, "fork-exit", {"ops=4"});
    check_workload(arena, "fork-exec", {"ops=2"});
    check_workload(arena, "spawn-exec", {"ops=2"});
}
ISO_CONFORMANCE("files", "[workload]") {
    check_workload(arena, "file-write", {"ops=20", "size=256K", "chunk=16K"});
    check_workload(arena, "file-read", {"ops=20", "size=256K", "chunk=16K"});
    check_workload(arena, "file-random", {"ops=20", "size=256K"});
    check_workload(arena, "file-fsync", {"ops=20"});
    check_workload(arena, "file-create", {"ops=10"});
    Job job = job_of("file-create", {"dir=/no/such/directory"});
    CHECK(require_same(arena, job).status == 3);
}

// Either the same result as natively, or the word that this kernel has no such thing.
ISO_CONFORMANCE("a network, where there is one", "[workload]") {
    for (char const* transport : {"transport=tcp", "transport=udp", "transport=unix"})
        check_or_not_available(arena, "net-loopback", {"ops=20", "size=100", transport}, "socket",
                               arena.is("isolate"));
}
ISO_CONFORMANCE("pages of 2 MiB, where there are some", "[workload]") {
    check_or_not_available(arena, "mem-chase", {"ops=10000", "size=2M", "huge=1"}, "pages of 2 MiB",
                           false);
}

ISO_CONFORMANCE("the workloads that compute with their defaults", "[workload]") {
    for (char const* name :
         {"cpu-int", "cpu-fp", "cpu-simd", "cpu-hash", "cpu-compress", "mem-stream", "mem-chase"})
        check_same(arena, name, {});
}

ISO_CONFORMANCE("ops=0 does everything but the loop", "[workload]") {
    for (char const* name :
         {"cpu-int",        "cpu-fp",      "cpu-simd",   "cpu-hash",   "cpu-compress",
          "mem-stream",     "mem-chase",   "page-fault", "cow-fault",  "syscall-null",
          "read-small",     "write-small", "open-close", "stat-file",  "pipe-pingpong",
          "futex-pingpong", "fork-exit",   "fork-exec",  "spawn-exec", "file-write",
          "file-read",      "file-random", "file-fsync", "file-create"}) {
        std::string_view const kind(name);
        std::vector<std::string> arguments = {"ops=0"};
        if (kind.starts_with("mem")) arguments.emplace_back("size=1M");
        if (kind == "file-write" || kind == "file-read" || kind == "file-random")
            arguments.emplace_back("size=64K");
        CHECK(check_same(arena, name, arguments).at("ops") == 0);
    }
}

ISO_CONFORMANCE("a workload called wrongly ends with 2 and one line", "[workload]") {
    for (char const* argument : {"bogus=1", "ops=x", "ops=", "ops", "=", "", "identity=2"}) {
        Ran const ran = require_same(arena, job_of("cpu-int", {argument}));
        CHECK(ran.status == 2);
        CHECK(ran.out.empty());
    }
}

ISO_CONFORMANCE("the floating-point state survives interruptions", "[workload]") {
    // Long enough to be interrupted many times; the checksum covers every bit. In the test VM
    // (tests/testvm) the processor is emulated, and a tenth takes as long.
    bool const emulated = std::getenv("ISO_TESTVM") != nullptr;
    Job const job = job_of("cpu-fp", {emulated ? "ops=2000" : "ops=20000"});
    CHECK(timeless(line_of(arena.run(job))) == timeless(line_of(run_native(job))));
}
