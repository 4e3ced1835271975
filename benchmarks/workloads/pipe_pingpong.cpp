// pipe-pingpong: one operation sends a byte to a child process through one pipe and gets it back
// through another: two system calls and a context switch on either side.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 250};

/// Reads one byte; false at the end.
bool receive(int fd, unsigned char& byte) {
    return linux_call::call(linux_call::read, fd, linux_call::address(&byte), 1) == 1;
}

bool send(int fd, unsigned char const& byte) {
    return linux_call::call(linux_call::write, fd, linux_call::address(&byte), 1) == 1;
}

/// The child: every byte comes back changed, so that an echo by anyone else would be noticed.
[[noreturn]] void echo(int from, int to) {
    unsigned char byte = 0;
    while (receive(from, byte)) {
        byte = static_cast<unsigned char>(byte ^ 0x55U);
        if (!send(to, byte)) linux_call::exit_with(1);
    }
    linux_call::exit_with(0);
}

uint64_t round_trip(PipeEnds there, PipeEnds back, uint64_t i) {
    auto const sent = static_cast<unsigned char>(i);
    unsigned char got = 0;
    if (!send(there.write, sent) || !receive(back.read, got)) return 0;
    return got == (sent ^ 0x55U) ? 1 : 0;
}

} // namespace

char const* const k_name = "pipe-pingpong";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    using namespace linux_call;
    PipeEnds const there = make_pipe();
    PipeEnds const back = make_pipe();
    long const child = fork_child();
    if (child == 0) {
        call(close, there.write);
        call(close, back.read);
        echo(there.read, back.write);
    }
    call(close, there.read);
    call(close, back.write);

    // The first trips take the pages that both write to apart (copy-on-write).
    if (round_trip(there, back, 1) + round_trip(there, back, 2) != 2) fail("the first trip failed");
    uint64_t good = 0;
    uint64_t const before = monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        good += round_trip(there, back, i);
    uint64_t const after = monotonic_ns();
    if (good != g_ops.value) fail("a byte was lost or changed, times", g_ops.value - good);
    call(close, there.write);
    wait_child(child, 0);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(6, good);
    return outcome;
}

} // namespace iso::workload
