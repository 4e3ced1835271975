// Every workload in every engine: the same bytes, the same result, a clock that agrees.
#include "common/elf.hpp"
#include "common/fd.hpp"
#include "tests/conformance/arena.hpp"

#include <nlohmann/json.hpp>

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
    for (char const* key : {"ns", "entry_ns", "bytes_per_second"})
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

} // namespace

ISO_CONFORMANCE("hello", "[workload]") {
    check_workload(arena, "hello", {});
}
ISO_CONFORMANCE("cpu-int", "[workload]") {
    check_workload(arena, "cpu-int", {"ops=100000", "seed=7"});
}
ISO_CONFORMANCE("cpu-fp", "[workload]") {
    check_workload(arena, "cpu-fp", {"ops=50", "seed=7"});
}
ISO_CONFORMANCE("mem-stream", "[workload]") {
    check_workload(arena, "mem-stream", {"ops=2", "size=1M"});
}
ISO_CONFORMANCE("mem-chase", "[workload]") {
    check_workload(arena, "mem-chase", {"ops=10000", "size=1M"});
}
ISO_CONFORMANCE("syscall-null", "[workload]") {
    check_workload(arena, "syscall-null", {"ops=100"});
}
ISO_CONFORMANCE("page-fault", "[workload]") {
    check_workload(arena, "page-fault", {"ops=2100"});
}
ISO_CONFORMANCE("write-small", "[workload]") {
    check_workload(arena, "write-small", {"ops=100"});
}

ISO_CONFORMANCE("every workload with its defaults", "[workload]") {
    for (char const* name : {"cpu-int", "cpu-fp", "mem-stream", "mem-chase", "syscall-null",
                             "page-fault", "write-small"}) {
        json const native = line_of(run_native(job_of(name, {})));
        CHECK(timeless(line_of(arena.run(job_of(name, {})))) == timeless(native));
    }
}

ISO_CONFORMANCE("ops=0 does everything but the loop", "[workload]") {
    for (char const* name : {"cpu-int", "cpu-fp", "mem-stream", "mem-chase", "syscall-null",
                             "page-fault", "write-small"}) {
        std::vector<std::string> arguments = {"ops=0"};
        if (std::string_view(name).substr(0, 3) == "mem") arguments.emplace_back("size=1M");
        json const line = line_of(arena.run(job_of(name, arguments)));
        CHECK(line.at("ops") == 0);
        CHECK(timeless(line) == timeless(line_of(run_native(job_of(name, arguments)))));
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
