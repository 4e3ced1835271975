// One process, seen from outside, that does not behave.
#include "benchmarks/harness/measure_aloud.hpp"
#include "benchmarks/harness/strays.hpp"
#include "tests/support/catch.hpp"

#include <poll.h>

namespace {

using namespace iso;
using namespace iso::bench;

/// What a process did whose output is read more slowly than it writes: its pipe is never empty.
RawRun read_slowly(std::string const& script, std::uint64_t timeout_ns, std::uint64_t limit) {
    REQUIRE(become_subreaper());
    Interrupts interrupts = Interrupts::create().value();
    MeasureRequest request;
    request.command = {"/bin/sh", "-c", script};
    request.timeout_ns = timeout_ns;
    request.output_limit = limit;
    auto run = measure_aloud(request, interrupts, [](std::string_view) { ::poll(nullptr, 0, 2); });
    if (!run) FAIL(run.error().message());
    return std::move(*run);
}

} // namespace

TEST_CASE("a process that writes faster than it is read is ended for the flood") {
    RawRun const run = read_slowly("exec cat /dev/zero", 60'000'000'000, 1U << 20U);
    CHECK(run.flooded);
    CHECK_FALSE(run.timed_out);
    // What it wrote before the signal reached it is a pipe or a few, not all it could.
    CHECK(run.out_bytes < std::uint64_t{64} << 20U);
}

TEST_CASE("a process that writes faster than it is read is ended for its time") {
    RawRun const run = read_slowly("exec cat /dev/zero", 300'000'000, std::uint64_t{1} << 40U);
    CHECK(run.timed_out);
    CHECK_FALSE(run.flooded);
}
