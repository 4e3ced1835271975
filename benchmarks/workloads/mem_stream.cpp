// mem-stream: memory bandwidth by the four kernels of STREAM (McCalpin, 1995): copy, scale, add and
// triad over three arrays that no L2 cache holds. One operation is one pass of all four.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 10};
constinit Parameter g_size{"size", uint64_t{8} << 20U}; // of each array, in bytes

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 32U;
constexpr unsigned k_classes = 512; // array elements whose index is equal modulo this are equal
// 2s + s^2 = 1 keeps the values of `a` where they are from pass to pass.
constexpr double k_scalar = 0.41421356237309503;
constexpr uint64_t k_bytes_per_double_and_pass = 8 * (2 + 2 + 3 + 3); // as STREAM counts

using Pair = double __attribute__((vector_size(16)));

struct Arrays {
    Pair* a;
    Pair* b;
    Pair* c;
    uint64_t pairs;
};

constexpr double initial(uint64_t index) {
    return 1 + static_cast<double>(index % k_classes) / k_classes;
}

/// A barrier: the compiler may not merge one kernel with the next.
void fence() {
    asm volatile("" ::: "memory");
}

void pass(Arrays const& m) {
    Pair const scalar = {k_scalar, k_scalar};
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.c[i] = m.a[i];
    fence();
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.b[i] = scalar * m.c[i];
    fence();
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.c[i] = m.a[i] + m.b[i];
    fence();
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.a[i] = m.b[i] + scalar * m.c[i];
    fence();
}

/// Compares every element with what scalar arithmetic makes of its class; returns the checksum.
uint64_t verify(Arrays const& m, uint64_t ops) {
    static double expected[3][k_classes];
    uint64_t sum = mix(mix(0, m.pairs), ops);
    for (unsigned k = 0; k < k_classes; ++k) {
        double a = initial(k);
        double b = 0;
        double c = 0;
        for (uint64_t i = 0; i < ops; ++i) {
            c = a;
            b = k_scalar * c;
            c = a + b;
            a = b + k_scalar * c;
        }
        expected[0][k] = a;
        expected[1][k] = b;
        expected[2][k] = c;
        sum = mix(mix(mix(sum, __builtin_bit_cast(uint64_t, a)), __builtin_bit_cast(uint64_t, b)),
                  __builtin_bit_cast(uint64_t, c));
    }
    Pair const* const arrays[3] = {m.a, m.b, m.c};
    for (unsigned n = 0; n < 3; ++n)
        for (uint64_t i = 0; i < m.pairs; ++i) {
            unsigned const k = static_cast<unsigned>(2 * i % k_classes);
            if (arrays[n][i][0] != expected[n][k] || arrays[n][i][1] != expected[n][k + 1])
                fail("an array holds a wrong value at index", 2 * i);
        }
    return sum;
}

} // namespace

char const* const k_name = "mem-stream";
Parameter* const k_parameters[] = {&g_ops, &g_size};
size_t const k_parameter_count = 2;

Outcome run() {
    uint64_t const bytes = g_size.value;
    if (bytes < k_page || bytes > k_limit || bytes % k_page != 0)
        refuse("size must be a multiple of 4K, at most 4G", "size");
    auto* const memory = static_cast<Pair*>(linux_call::map_pages(3 * bytes));
    if (memory == nullptr) fail("no memory for three arrays, bytes each", bytes);
    uint64_t const pairs = bytes / sizeof(Pair);
    Arrays const m{memory, memory + pairs, memory + 2 * pairs, pairs};
    // Touches every page before the clock starts; one array after the other, in order, so that a
    // kernel that serves neighbouring faults together can do so.
    for (uint64_t i = 0; i < pairs; ++i)
        m.a[i] = Pair{initial(2 * i), initial(2 * i + 1)};
    fence();
    for (uint64_t i = 0; i < pairs; ++i)
        m.b[i] = Pair{0, 0};
    fence();
    for (uint64_t i = 0; i < pairs; ++i)
        m.c[i] = Pair{0, 0};
    fence();

    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        pass(m);
    uint64_t const after = linux_call::monotonic_ns();

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = verify(m, g_ops.value);
    if (g_ops.value != 0 && outcome.ns != 0) {
        outcome.extra_name = "bytes_per_second";
        outcome.extra = static_cast<uint64_t>(
            static_cast<double>(k_bytes_per_double_and_pass * (2 * pairs)) *
            static_cast<double>(g_ops.value) * 1e9 / static_cast<double>(outcome.ns));
    }
    return outcome;
}

} // namespace iso::workload
