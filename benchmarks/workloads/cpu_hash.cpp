// cpu-hash: SHA-256. One operation hashes a message of 4 KiB that begins with the digest of the one
// before, so that no two can overlap.
#include "benchmarks/workloads/runtime/workload.hpp"
#include "common/sha256.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 2'000};
constinit Parameter g_seed{"seed", 1};

constexpr size_t k_message = 4096;

using Digest = unsigned char[Sha256::digest_size];

void hash(void const* data, size_t size, Digest& digest) {
    Sha256 state;
    state.update(data, size);
    state.finish(digest);
}

uint64_t word_of(unsigned char const* bytes) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i)
        word = word << 8U | bytes[i];
    return word;
}

unsigned char g_message[k_message];

} // namespace

char const* const k_name = "cpu-hash";
Parameter* const k_parameters[] = {&g_ops, &g_seed};
size_t const k_parameter_count = 2;

Outcome run() {
    Digest digest;
    hash("abc", 3, digest); // the example of FIPS 180-4
    if (word_of(digest) != 0xba7816bf8f01cfeaU)
        fail("the processor computed a wrong digest", word_of(digest));

    uint64_t word = g_seed.value;
    for (unsigned char& byte : g_message) {
        word = mix(word, g_seed.value);
        byte = static_cast<unsigned char>(word);
    }
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        hash(g_message, sizeof g_message, digest);
        __builtin_memcpy(g_message, digest, sizeof digest);
    }
    uint64_t const after = linux_call::monotonic_ns();

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(mix(g_seed.value, g_ops.value), word_of(digest));
    outcome.bytes = g_ops.value * k_message;
    return outcome;
}

} // namespace iso::workload
