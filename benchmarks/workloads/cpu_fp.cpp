// cpu-fp: double precision in SSE2 registers. One operation multiplies a 32 x 32 matrix by a fixed
// rotation of 32-space. A rotation keeps the matrix's norm: the result checks itself, however many
// operations there are. IEEE 754 and a fixed order of additions make every bit reproducible.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 8'000};
constinit Parameter g_seed{"seed", 1};

constexpr unsigned k_size = 32;

struct alignas(64) Matrix {
    double cell[k_size][k_size];
};

/// Entries in [-1, 1), each a multiple of 2^-20: exact in binary.
constexpr void fill(Matrix& m, uint64_t seed) {
    uint64_t word = seed;
    for (auto& row : m.cell)
        for (double& cell : row) {
            word = mix(word, seed);
            cell = static_cast<double>(static_cast<int64_t>(word >> 43U) - (1 << 20)) / (1 << 20);
        }
}

/// The rotation: two reflections, each I - 2 v v' / v'v (Householder, 1958), one after the other.
constexpr void make_rotation(Matrix& m) {
    double v[2][k_size] = {};
    double scale[2] = {0, 0};
    double cosine = 0;
    for (unsigned i = 0; i < k_size; ++i) {
        v[0][i] = 1 + i % 5;
        v[1][i] = 1 + i % 7;
        scale[0] += v[0][i] * v[0][i];
        scale[1] += v[1][i] * v[1][i];
        cosine += v[0][i] * v[1][i];
    }
    // (I - a u u')(I - b w w') = I - a u u' - b w w' + a b (u'w) u w'
    double const a = 2 / scale[0];
    double const b = 2 / scale[1];
    for (unsigned i = 0; i < k_size; ++i)
        for (unsigned j = 0; j < k_size; ++j)
            m.cell[i][j] = (i == j ? 1.0 : 0.0) - a * v[0][i] * v[0][j] - b * v[1][i] * v[1][j] +
                           a * b * cosine * v[0][i] * v[1][j];
}

/// out = left * right, plainly; what the compiler runs to know the answer.
constexpr void multiply_plain(Matrix& out, Matrix const& left, Matrix const& right) {
    for (unsigned i = 0; i < k_size; ++i)
        for (unsigned j = 0; j < k_size; ++j) {
            double sum = 0;
            for (unsigned k = 0; k < k_size; ++k)
                sum += left.cell[i][k] * right.cell[k][j];
            out.cell[i][j] = sum;
        }
}

using Pair = double __attribute__((vector_size(16), may_alias)); // one SSE2 register

/// The same, bit for bit: each sum adds in the same order, eight columns at a time in registers.
void multiply(Matrix& out, Matrix const& left, Matrix const& right) {
    for (unsigned i = 0; i < k_size; ++i)
        for (unsigned j = 0; j < k_size; j += 8) {
            Pair sum0{}, sum1{}, sum2{},
                sum3{}; // names, not an array: GCC keeps these in registers
            for (unsigned k = 0; k < k_size; ++k) {
                Pair const factor = {left.cell[i][k], left.cell[i][k]};
                auto const* const row = reinterpret_cast<Pair const*>(&right.cell[k][j]);
                sum0 += factor * row[0];
                sum1 += factor * row[1];
                sum2 += factor * row[2];
                sum3 += factor * row[3];
            }
            auto* const to = reinterpret_cast<Pair*>(&out.cell[i][j]);
            to[0] = sum0;
            to[1] = sum1;
            to[2] = sum2;
            to[3] = sum3;
        }
}

constexpr double norm(Matrix const& m) {
    double sum = 0;
    for (auto const& row : m.cell)
        for (double const cell : row)
            sum += cell * cell;
    return sum;
}

constexpr uint64_t checksum(Matrix const& m) {
    uint64_t sum = 0;
    for (auto const& row : m.cell)
        for (double const cell : row)
            sum = mix(sum, __builtin_bit_cast(uint64_t, cell));
    return sum;
}

constexpr uint64_t known_answer() {
    Matrix a{};
    Matrix b{};
    Matrix rotation{};
    fill(a, 1);
    make_rotation(rotation);
    multiply_plain(b, a, rotation);
    multiply_plain(a, b, rotation);
    return checksum(a);
}
constexpr uint64_t k_known_answer = known_answer(); // computed by the compiler

Matrix g_rotation;
Matrix g_state[2];

/// Multiplies `ops` times and returns where the result is.
Matrix& advance(uint64_t ops) {
    for (uint64_t i = 0; i < ops; ++i)
        multiply(g_state[~i & 1U], g_state[i & 1U], g_rotation);
    return g_state[ops & 1U];
}

} // namespace

char const* const k_name = "cpu-fp";
Parameter* const k_parameters[] = {&g_ops, &g_seed};
size_t const k_parameter_count = 2;

Outcome run() {
    make_rotation(g_rotation);
    fill(g_state[0], opaque(uint64_t{1}));
    uint64_t const known = checksum(advance(2));
    if (known != k_known_answer) fail("the processor computed a wrong checksum", known);

    fill(g_state[0], g_seed.value);
    double const norm_before = norm(g_state[0]);
    uint64_t const before = linux_call::monotonic_ns();
    Matrix const& result = advance(opaque(g_ops.value));
    uint64_t const after = linux_call::monotonic_ns();
    double const drift = norm(result) / norm_before - 1;
    // Rounding adds about 2^-52 per operation; a wrong product is off by far more.
    double const allowed = 1e-12 + 1e-14 * static_cast<double>(g_ops.value);
    if (!(drift < allowed && drift > -allowed))
        fail("the rotation changed the norm, operations", g_ops.value);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = checksum(result);
    return outcome;
}

} // namespace iso::workload
