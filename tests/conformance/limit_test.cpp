// Programs that do not stop by themselves, and engines that are told to stop.
#include "tests/conformance/arena.hpp"

#include <csignal>

namespace {

using namespace iso::test;

constexpr std::uint64_t k_ms = 1'000'000;

void check_timeout(Arena const& arena, std::string const& mode) {
    Job job = behave(mode);
    job.timeout_ns = 300 * k_ms;
    Ran const ran = arena.run(job);
    CHECK(ran.status == 124);
    CHECK(ran.ended_ns - ran.began_ns >= job.timeout_ns);
    CHECK(Arena::report(ran).ended == iso::Ended::timeout);
}

Job interrupted(std::string const& mode, int signal, std::uint64_t after_ns, bool to_group) {
    Job job = behave(mode);
    job.launch.signal = signal;
    job.launch.signal_after_ns = after_ns;
    job.launch.to_group = to_group;
    return job;
}

} // namespace

ISO_CONFORMANCE("--timeout ends a program that computes for ever", "[limit]") {
    check_timeout(arena, "loop");
}
ISO_CONFORMANCE("--timeout ends a program that sleeps", "[limit]") {
    check_timeout(arena, "sleep=1000");
}
ISO_CONFORMANCE("--timeout ends a program that floods its output", "[limit]") {
    check_timeout(arena, "flood=9000000000000");
}
ISO_CONFORMANCE("a timeout that is not reached changes nothing", "[limit]") {
    Job job = behave("exit=3");
    job.timeout_ns = 50'000 * k_ms;
    Ran const ran = arena.run(job);
    CHECK(ran.status == 3);
    CHECK(ran.ended_ns - ran.began_ns < job.timeout_ns);
}

ISO_CONFORMANCE("a program sleeps as long as it asks", "[limit]") {
    Ran const ran = require_same(arena, behave("sleep=1"));
    CHECK(ran.ended_ns - ran.began_ns >= 1000 * k_ms);
}

ISO_CONFORMANCE("--memory stops a program that takes more", "[limit]") {
    Job job = behave("alloc=4294967296");
    job.memory_bytes = 64 << 20;
    Ran const ran = arena.run(job);
    INFO(ran.out);
    // Refused (ENOMEM) or killed: either is Linux's way.
    CHECK((ran.status == 12 || ran.status == 137));
    CHECK_THAT(ran.out, !Catch::Contains("limit was reached"));
}

ISO_CONFORMANCE("--memory leaves what was promised", "[limit]") {
    Job job = behave("alloc=33554432"); // half of it: the rest is for the guest's own kernel
    job.memory_bytes = 64 << 20;
    Ran const ran = arena.run(job);
    CHECK(ran.status == 0);
    CHECK(ran.out == "alloc: the limit was reached\n");
}

ISO_CONFORMANCE("fork works", "[limit]") {
    Ran const ran = arena.run(behave("fork"));
    CHECK(ran.status == 0);
    CHECK(ran.out == "fork: the child ended with 7\n");
}

ISO_CONFORMANCE("children that outlive the program are ended with it", "[limit]") {
    Ran const ran = arena.run(behave("orphans")); // run() looks for strays
    CHECK(ran.status == 5);
}

ISO_CONFORMANCE("Ctrl-C ends a running program with 130", "[limit]") {
    for (bool const to_group : {true, false})
        for (std::uint64_t const after : {200 * k_ms, 203 * k_ms, 500 * k_ms}) {
            Ran const ran = arena.run(interrupted("loop", SIGINT, after, to_group));
            CHECK(ran.status == 130);
            auto const report = Arena::report(ran);
            CHECK(report.ended == iso::Ended::killed);
            CHECK(report.signal == SIGINT);
        }
}

ISO_CONFORMANCE("Ctrl-C while the engine is still building leaves nothing", "[limit]") {
    for (std::uint64_t after = 0; after <= 15; ++after) {
        Job job = interrupted("sleep=1000", SIGINT, after * k_ms, true);
        job.launch.patience_ns = 30'000 * k_ms;
        Ran const ran = arena.run_unreported(job);
        INFO("after " << after << " ms");
        CHECK(ran.status == 130);
    }
}

ISO_CONFORMANCE("SIGTERM ends it with 143", "[limit]") {
    Ran const ran = arena.run(interrupted("loop", SIGTERM, 400 * k_ms, false));
    CHECK(ran.status == 143);
    auto const report = Arena::report(ran);
    CHECK(report.ended == iso::Ended::killed);
    CHECK(report.signal == SIGTERM);
}

ISO_CONFORMANCE("killing the engine leaves nothing", "[limit]") {
    for (std::uint64_t const after : {2 * k_ms, 5 * k_ms, 10 * k_ms, 400 * k_ms}) {
        Ran const ran = arena.run(interrupted("loop", SIGKILL, after, false)); // run() looks around
        CHECK(ran.status == 137);
    }
}
