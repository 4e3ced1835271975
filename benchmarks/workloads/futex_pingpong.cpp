// futex-pingpong: one operation hands a turn to another thread and gets it back; whoever has not
// the turn sleeps in futex(2). Neither side spins, so it does not matter how many processors there
// are.
#include "benchmarks/workloads/runtime/process.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 300};

constexpr long k_wait = 0 | 128; // FUTEX_WAIT, FUTEX_WAKE, both FUTEX_PRIVATE_FLAG
constexpr long k_wake = 1 | 128;
constexpr int k_parent = 0;
constexpr int k_child = 1;

alignas(64) int g_turn = k_parent;
uint64_t g_value = 0; // belongs to whoever has the turn
uint64_t g_trips = 0;
int g_tid = 0;
alignas(64) unsigned char g_stack[16384];

void hand_to(int other) {
    __atomic_store_n(&g_turn, other, __ATOMIC_RELEASE);
    linux_call::call(linux_call::futex, linux_call::address(&g_turn), k_wake, 1);
}

void await(int self) {
    for (;;) {
        int const turn = __atomic_load_n(&g_turn, __ATOMIC_ACQUIRE);
        if (turn == self) return;
        linux_call::call(linux_call::futex, linux_call::address(&g_turn), k_wait, turn, 0);
    }
}

int other_thread(void*) {
    for (uint64_t i = 0; i < g_trips; ++i) {
        await(k_child);
        g_value = mix(g_value, k_child);
        hand_to(k_parent);
    }
    return 0;
}

void round_trip() {
    g_value = mix(g_value, k_parent);
    hand_to(k_child);
    await(k_parent);
}

/// The kernel clears the word and wakes whoever waits for it when the thread has ended.
void join() {
    for (;;) {
        int const tid = __atomic_load_n(&g_tid, __ATOMIC_ACQUIRE);
        if (tid == 0) return;
        linux_call::call(linux_call::futex, linux_call::address(&g_tid), 0 /* shared */, tid, 0);
    }
}

} // namespace

char const* const k_name = "futex-pingpong";
Parameter* const k_parameters[] = {&g_ops};
size_t const k_parameter_count = 1;

Outcome run() {
    g_trips = g_ops.value + 1;
    int untouched = 0;
    long const unused =
        linux_call::call(linux_call::futex, linux_call::address(&untouched), k_wake, 1);
    need("futex", unused);
    need("clone of a thread",
         iso_clone(k_clone_thread, g_stack + sizeof g_stack, other_thread, nullptr, &g_tid));
    round_trip(); // until it has come back the thread may not have begun
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        round_trip();
    uint64_t const after = linux_call::monotonic_ns();
    join();

    uint64_t expected = 0;
    for (uint64_t i = 0; i < g_trips; ++i)
        expected = mix(mix(expected, k_parent), k_child);
    if (g_value != expected) fail("the threads did not take turns", g_value);
    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = expected;
    return outcome;
}

} // namespace iso::workload
