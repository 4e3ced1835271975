#include "benchmarks/harness/crowd.hpp"
#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/strays.hpp"

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

Sample crowd_in(std::string const& body, std::uint64_t timeout_ns = 60'000'000'000) {
    FakeEngine const engine(body);
    auto const engines = make_engines(engine.directory());
    Interrupts interrupts = Interrupts::create().value();
    SampleRequest request;
    request.engine = engines.at(1).get();
    REQUIRE(request.engine->name() == "isolate");
    request.program = workload_directory() + "/idle";
    request.arguments = {"seconds=600"};
    request.timeout_ns = timeout_ns;
    auto taken = take_crowd(request, interrupts);
    if (!taken) FAIL(taken.error().message());
    CHECK(end_strays().empty()); // whatever happened, nobody is left
    return std::move(taken->sample);
}

} // namespace

TEST_CASE("a crowd has the start of every level and the memory of one more instance") {
    Sample const sample = crowd_in("exec \"$@\"");
    INFO(sample.failure);
    CHECK(sample.good());
    CHECK(sample.counters.at("density.instances") == 32);
    for (char const* level : {"1", "2", "4", "8", "16", "32"})
        CHECK(sample.counters.at("density.start_" + std::string(level) + "_ns") > 0);
    // A static program without a C library: its stack and its data, no more.
    CHECK(sample.counters.at("density.private_bytes") >= 4096);
    CHECK(sample.counters.at("density.private_bytes") < 1 << 20);
    CHECK(sample.counters.at("density.pss_bytes") >= sample.counters.at("density.private_bytes"));
    CHECK(sample.own->workload == "idle");
}

TEST_CASE("what an engine holds beside the program belongs to its instance") {
    Sample const alone = crowd_in("exec \"$@\"");
    Sample const with_shell = crowd_in("\"$@\"; true");
    CHECK(with_shell.counters.at("density.pss_bytes") > alone.counters.at("density.pss_bytes"));
}

TEST_CASE("an instance that does not come up fails the crowd, and says which and why") {
    Sample const ended = crowd_in("echo 'no more' >&2; exit 125");
    CHECK(ended.failure == "instance 1 ended before it said anything: no more");
    CHECK_FALSE(ended.counters.contains("density.pss_bytes"));
    CHECK(crowd_in("sleep 600", 300'000'000).failure == "instance 1 did not start in time");
    Sample const garbage = crowd_in("echo garbage; sleep 600");
    CHECK_THAT(garbage.failure, Catch::Contains("instance 1: stray output"));
}

TEST_CASE("a crowd stops growing when its time is over, and keeps what it has") {
    // Each takes a quarter of a second more than its predecessor's line.
    Sample const sample = crowd_in("sleep 0.25; exec \"$@\"", 2'000'000'000);
    INFO(sample.failure);
    CHECK(sample.good());
    CHECK(sample.counters.at("density.instances") < 32);
    CHECK_FALSE(sample.counters.contains("density.start_32_ns"));
}

TEST_CASE("instances that ignore the polite end are ended all the same") {
    Sample const sample =
        crowd_in("trap '' TERM; (trap '' TERM; exec \"$@\") & wait; sleep 600", 1'000'000'000);
    INFO(sample.failure);
    CHECK(sample.counters.contains("density.start_1_ns"));
}
