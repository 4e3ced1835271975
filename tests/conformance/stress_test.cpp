// Kernels under stress (tests/programs/stress.cpp): the same results natively, in the jail and in
// both guest kernels, which give back every frame and object, and never panic.
#include "tests/conformance/arena.hpp"

namespace {

using namespace iso::test;

Job program(char const* name, std::vector<std::string> arguments) {
    Job job;
    job.program = std::string(ISO_TEST_PROGRAM_DIR "/") + name;
    job.arguments = std::move(arguments);
    job.launch.patience_ns = 280'000'000'000;
    return job;
}

bool is_guest_kernel(Arena const& arena) {
    return !arena.is("isolate");
}

void same_under_stress(Arena const& arena, std::vector<std::string> const& arguments,
                       std::vector<std::string> const& options = {}) {
    Job job = program("stress", arguments);
    Ran const native = run_native(job);
    if (is_guest_kernel(arena)) job.arguments.emplace_back("leaks=1");
    job.engine_options = options;
    Ran const ran = arena.run(job);
    CHECK(native.status == 0);
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.out == native.out);
}

// Random system calls are for kernels that are nobody's.
void fuzz(Arena const& arena, std::string const& seed, std::string const& children) {
    if (!is_guest_kernel(arena)) return;
    Ran const ran = arena.run(program("fuzz", {"seed=" + seed, "children=" + children}));
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.out == "done\n");
}

void exhaust(Arena const& arena, std::string const& seed, std::string const& rounds) {
    if (!is_guest_kernel(arena)) return;
    Job job = program(
        "stress", {"seed=" + seed, "rounds=" + rounds, "only=exhaustion", "exhaust=1", "leaks=1"});
    job.memory_bytes = (arena.is("vmm-mini") ? 12 : 48) << 20; // there a page costs more
    Ran const ran = arena.run(job);
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.out == "done\n");
}

} // namespace

ISO_CONFORMANCE("processes, pipes, memory, signals, files, programs under stress", "[stress]") {
    bool const emulated = arena.is("vmm-mini"); // perhaps instruction by instruction
    same_under_stress(arena, {"seed=11", "rounds=1", emulated ? "width=4" : "width=16"});
}
ISO_CONFORMANCE("random system calls", "[stress]") {
    fuzz(arena, "1", arena.is("vmm-mini") ? "12" : "60");
}
ISO_CONFORMANCE("memory runs out, again and again", "[stress]") {
    exhaust(arena, "4", arena.is("vmm-mini") ? "1" : "2");
}
TEST_CASE("paravirt-demo: under stress with ticks and two cores", "[paravirt-demo][stress]") {
    with_engine("paravirt-demo", "paravirt", [](Arena const& arena) {
        same_under_stress(arena, {"seed=12", "rounds=1", "width=8"}, {"--tick=1ms"});
        same_under_stress(arena, {"seed=13", "rounds=1", "width=8"}, {"--cores=2", "--spin"});
        same_under_stress(arena, {"seed=14", "rounds=1", "width=8"}, {"--cores=2", "--tick=1ms"});
    });
}

// About ten minutes in all; see CONTRIBUTING.md.
ISO_CONFORMANCE("a night of stress", "[.nightly]") {
    bool const emulated = arena.is("vmm-mini");
    for (int seed = 100; seed < (emulated ? 108 : 130); ++seed) {
        INFO("seed " << seed);
        same_under_stress(arena,
                          {"seed=" + std::to_string(seed), emulated ? "rounds=1" : "rounds=4",
                           emulated ? "width=5" : "width=30"});
        fuzz(arena, std::to_string(seed * 1000), emulated ? "12" : "60");
    }
    exhaust(arena, "4", emulated ? "1" : "10");
    if (!emulated) same_under_stress(arena, {"seed=99", "rounds=1", "width=600", "only=forks"});
}
