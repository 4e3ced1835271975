// Corners of processes, signals and shared memory, where programs are sure that Linux is Linux.
#include "tests/conformance/arena.hpp"

namespace {

using namespace iso::test;

} // namespace

ISO_CONFORMANCE("stops, threads that execute, vfork, groups, requeues, cut files", "[process]") {
    Job job;
    job.program = ISO_TEST_PROGRAM_DIR "/corners";
    Ran const ran = require_same(arena, job);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, Catch::Contains("moved: m 98 signal 7"));
}

ISO_CONFORMANCE("bad pointers are answered alike in every call that takes one", "[process]") {
    if (arena.is("isolate")) return; // the same kernel, but other files in its way
    Job job;
    job.program = ISO_GUEST_PROGRAM_DIR "/guest-pointers";
    job.launch.patience_ns = 120'000'000'000;
    Ran const native = run_native(job);
    Ran const ran = arena.run(job);
    CHECK(ran.status == 0);
    CHECK((ran.out == native.out));
}
