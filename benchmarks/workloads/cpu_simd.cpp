// cpu-simd: whole numbers in SSE2 registers. One operation advances sixteen 32-bit xorshift
// generators, four to a register, and mixes them with 16-bit multiplications and a comparison.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 12'000'000};
constinit Parameter g_seed{"seed", 1};

constexpr unsigned k_lanes = 16;
constexpr uint16_t k_factor = 0x9e35; // odd: the product loses nothing

/// The same, lane by lane; what the compiler runs to know the answer.
struct Plain {
    uint32_t x[k_lanes];
    uint32_t sum[k_lanes];

    constexpr void step() {
        for (unsigned i = 0; i < k_lanes; ++i) {
            x[i] ^= x[i] << 13U; // xorshift32 (Marsaglia, 2003), never zero
            x[i] ^= x[i] >> 17U;
            x[i] ^= x[i] << 5U;
            uint32_t const low = (x[i] & 0xffffU) * k_factor & 0xffffU;
            uint32_t const high = (x[i] >> 16U) * k_factor & 0xffffU;
            uint32_t const product = high << 16U | low;
            bool const greater = static_cast<int32_t>(product) > static_cast<int32_t>(sum[i]);
            sum[i] += greater ? product : ~product;
        }
    }
};

using Words = uint32_t __attribute__((vector_size(16)));
using Signed = int32_t __attribute__((vector_size(16)));
using Halves = uint16_t __attribute__((vector_size(16)));

struct Registers {
    Words x[k_lanes / 4];
    Words sum[k_lanes / 4];
};

constexpr Plain begin(uint64_t seed) {
    Plain state{};
    for (unsigned i = 0; i < k_lanes; ++i) {
        uint64_t const word = mix(seed, i);
        state.x[i] = static_cast<uint32_t>(word) | 1U;
        state.sum[i] = static_cast<uint32_t>(word >> 32U);
    }
    return state;
}

constexpr uint64_t checksum(Plain const& state) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < k_lanes; ++i)
        sum = mix(mix(sum, state.x[i]), state.sum[i]);
    return sum;
}

inline void step(Words& x, Words& sum) {
    x ^= x << 13U;
    x ^= x >> 17U;
    x ^= x << 5U;
    auto const product = reinterpret_cast<Words>(reinterpret_cast<Halves>(x) * k_factor);
    auto const greater =
        reinterpret_cast<Words>(reinterpret_cast<Signed>(product) > reinterpret_cast<Signed>(sum));
    sum += ~(product ^ greater); // greater is all ones or all zeros
}

Plain advance(Plain const& from, uint64_t ops) {
    Registers r;
    __builtin_memcpy(&r, &from, sizeof r);
    Words x0 = r.x[0], x1 = r.x[1], x2 = r.x[2], x3 = r.x[3];
    Words s0 = r.sum[0], s1 = r.sum[1], s2 = r.sum[2], s3 = r.sum[3];
    for (uint64_t i = 0; i < ops; ++i) {
        step(x0, s0);
        step(x1, s1);
        step(x2, s2);
        step(x3, s3);
    }
    r = {{x0, x1, x2, x3}, {s0, s1, s2, s3}};
    Plain to;
    __builtin_memcpy(&to, &r, sizeof to);
    return to;
}

constexpr uint64_t k_known_steps = 500;
constexpr uint64_t known_answer() {
    Plain state = begin(1);
    for (uint64_t i = 0; i < k_known_steps; ++i)
        state.step();
    return checksum(state);
}
constexpr uint64_t k_known_answer = known_answer(); // computed by the compiler

} // namespace

char const* const k_name = "cpu-simd";
Parameter* const k_parameters[] = {&g_ops, &g_seed};
size_t const k_parameter_count = 2;

Outcome run() {
    uint64_t const known = checksum(advance(begin(opaque(uint64_t{1})), opaque(k_known_steps)));
    if (known != k_known_answer) fail("the processor computed a wrong checksum", known);

    Plain const start = begin(g_seed.value);
    uint64_t const before = linux_call::monotonic_ns();
    Plain const end = advance(start, opaque(g_ops.value));
    uint64_t const after = linux_call::monotonic_ns();
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = checksum(end);
    return outcome;
}

} // namespace iso::workload
