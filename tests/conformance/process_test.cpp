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
