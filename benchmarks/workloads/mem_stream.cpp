// mem-stream: memory bandwidth by the four kernels of STREAM (McCalpin, 1995): copy, scale, add and
// triad over three arrays that no L2 cache holds. One operation is one pass of all four, or of the
// one that kernel= names.
#include "benchmarks/workloads/runtime/workload.hpp"

#include <initializer_list>

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 10};
constinit Parameter g_size{"size", uint64_t{8} << 20U}; // of each array, in bytes
constinit Parameter g_kernel{"kernel", 0, "all"};

constexpr uint64_t k_page = 4096;
constexpr uint64_t k_limit = uint64_t{1} << 32U;
constexpr unsigned k_classes = 512; // array elements whose index is equal modulo this are equal
// 2s + s^2 = 1 keeps the values of `a` where they are from pass to pass.
constexpr double k_scalar = 0.41421356237309503;

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

void copy(Arrays const& m) {
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.c[i] = m.a[i];
    fence();
}

void scale(Arrays const& m) {
    Pair const scalar = {k_scalar, k_scalar};
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.b[i] = scalar * m.c[i];
    fence();
}

void add(Arrays const& m) {
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.c[i] = m.a[i] + m.b[i];
    fence();
}

void triad(Arrays const& m) {
    Pair const scalar = {k_scalar, k_scalar};
    for (uint64_t i = 0; i < m.pairs; ++i)
        m.a[i] = m.b[i] + scalar * m.c[i];
    fence();
}

void all(Arrays const& m) {
    copy(m);
    scale(m);
    add(m);
    triad(m);
}

struct Values {
    double a, b, c;
};

struct Kernel {
    char const* name;
    void (*pass)(Arrays const&);
    void (*expect)(Values&); // the same for one element
    uint64_t arrays;         // that it reads or writes, as STREAM counts
};

constexpr Kernel k_kernels[] = {
    {"copy", copy, [](Values& v) { v.c = v.a; }, 2},
    {"scale", scale, [](Values& v) { v.b = k_scalar * v.c; }, 2},
    {"add", add, [](Values& v) { v.c = v.a + v.b; }, 3},
    {"triad", triad, [](Values& v) { v.a = v.b + k_scalar * v.c; }, 3},
    {"all", all,
     [](Values& v) {
         v.c = v.a;
         v.b = k_scalar * v.c;
         v.c = v.a + v.b;
         v.a = v.b + k_scalar * v.c;
     },
     10},
};

Kernel const& chosen() {
    for (Kernel const& kernel : k_kernels)
        if (equal(kernel.name, g_kernel.text)) return kernel;
    refuse("kernel is copy, scale, add, triad or all", g_kernel.text);
}

/// Compares every element with what scalar arithmetic makes of its class; returns the checksum.
uint64_t verify(Arrays const& m, Kernel const& kernel, uint64_t ops) {
    static double expected[3][k_classes];
    uint64_t sum = mix(mix(0, m.pairs), ops);
    for (unsigned k = 0; k < k_classes; ++k) {
        Values v{initial(k), initial(k) + 1, initial(k) + 2};
        for (uint64_t i = 0; i < ops; ++i)
            kernel.expect(v);
        expected[0][k] = v.a;
        expected[1][k] = v.b;
        expected[2][k] = v.c;
        for (double const value : {v.a, v.b, v.c})
            sum = mix(sum, __builtin_bit_cast(uint64_t, value));
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
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_kernel};
size_t const k_parameter_count = 3;

Outcome run() {
    Kernel const& kernel = chosen();
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
        m.b[i] = Pair{initial(2 * i) + 1, initial(2 * i + 1) + 1};
    fence();
    for (uint64_t i = 0; i < pairs; ++i)
        m.c[i] = Pair{initial(2 * i) + 2, initial(2 * i + 1) + 2};
    fence();

    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        kernel.pass(m);
    uint64_t const after = linux_call::monotonic_ns();

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = verify(m, kernel, g_ops.value);
    outcome.bytes = kernel.arrays * bytes * g_ops.value;
    return outcome;
}

} // namespace iso::workload
