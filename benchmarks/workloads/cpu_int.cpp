// cpu-int: integer arithmetic in one dependent chain (xorshift, multiply) with branches that the
// data decide, so that neither vectors nor a branch predictor make it disappear.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 12'000'000};
constinit Parameter g_seed{"seed", 1};

struct State {
    uint64_t x;   // the generator: xorshift64 (Marsaglia, 2003), never zero
    uint64_t sum; // what the branches made of it
};

constexpr State begin(uint64_t seed) {
    return {mix(seed, 0) | 1U, 0};
}

constexpr State advance(State s, uint64_t ops) {
    for (uint64_t i = 0; i < ops; ++i) {
        s.x ^= s.x << 13U;
        s.x ^= s.x >> 7U;
        s.x ^= s.x << 17U;
        uint64_t const word = s.x * 0x2545f4914f6cdd1dU;
        if (word >> 63U)
            s.sum += word >> 11U;
        else if (word & 0x100000U)
            s.sum = s.sum << 5U | s.sum >> 59U;
        else
            s.sum ^= word;
    }
    return s;
}

constexpr uint64_t checksum(State s) {
    return mix(mix(0, s.x), s.sum);
}

// Known answer: the compiler ran these steps when the workload was built.
constexpr uint64_t k_known_steps = 10'000;
constexpr uint64_t k_known_answer = checksum(advance(begin(1), k_known_steps));

} // namespace

char const* const k_name = "cpu-int";
Parameter* const k_parameters[] = {&g_ops, &g_seed};
size_t const k_parameter_count = 2;

Outcome run() {
    uint64_t const known = checksum(advance(begin(opaque(uint64_t{1})), opaque(k_known_steps)));
    if (known != k_known_answer) fail("the processor computed a wrong checksum", known);

    State const start = begin(g_seed.value);
    uint64_t const before = linux_call::monotonic_ns();
    State const end = advance(start, opaque(g_ops.value));
    uint64_t const after = linux_call::monotonic_ns();
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = checksum(end);
    return outcome;
}

} // namespace iso::workload
