// cpu-compress: branches that the data decide. One operation compresses 16 KiB of text with a small
// LZ77 (Ziv and Lempel, 1977; a hash table finds the matches): short loops, unpredictable exits,
// loads at computed places. The last result is decompressed and compared.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 1'000};
constinit Parameter g_seed{"seed", 1};

constexpr uint32_t k_window = 16384;
constexpr uint32_t k_text = 2 * k_window; // operation i begins at another place of it
constexpr uint32_t k_shift = 61;          // from operation to operation
constexpr uint32_t k_shortest = 4;
constexpr uint32_t k_longest = k_shortest + 255;
constexpr uint32_t k_slots = 4096;

unsigned char g_text[k_text];
unsigned char g_packed[k_window + k_window / 8 + 8];
unsigned char g_unpacked[k_window];
uint16_t g_table[k_slots]; // where four bytes of that hash were seen last, plus one

/// Words from a small vocabulary, the common ones more often: compresses about as prose does.
void write_text(uint64_t seed) {
    uint64_t state = seed;
    for (uint32_t at = 0; at < k_text;) {
        state = mix(state, seed);
        uint32_t const bits = state & 255U;
        uint64_t word = mix(seed, bits * bits >> 7U);
        auto const length = 2 + static_cast<uint32_t>(word & 7U);
        for (uint32_t i = 0; i < length && at < k_text; ++i) {
            word = mix(word, i);
            g_text[at++] = static_cast<unsigned char>('a' + word % 26);
        }
        if (at < k_text) g_text[at++] = ' ';
    }
}

uint32_t slot_of(unsigned char const* bytes) {
    uint32_t four = 0;
    __builtin_memcpy(&four, bytes, sizeof four);
    return four * 2654435761U >> 20U;
}

uint32_t match_length(unsigned char const* a, unsigned char const* b, uint32_t limit) {
    uint32_t n = 0;
    while (n < limit && a[n] == b[n])
        ++n;
    return n;
}

/// Groups of a flag byte and eight items: a byte as it is, or three bytes that say how far back and
/// how long. Returns the packed size.
uint32_t compress(unsigned char const* text) {
    for (uint16_t& slot : g_table)
        slot = 0;
    uint32_t out = 0;
    uint32_t flags = 0;
    unsigned item = 8;
    for (uint32_t at = 0; at < k_window; ++item) {
        if (item == 8) {
            flags = out++;
            g_packed[flags] = 0;
            item = 0;
        }
        uint32_t const left = k_window - at;
        uint32_t length = 0;
        uint32_t from = 0;
        if (left >= k_shortest) {
            uint16_t& slot = g_table[slot_of(text + at)];
            from = slot;
            slot = static_cast<uint16_t>(at + 1);
            if (from != 0)
                length =
                    match_length(text + from - 1, text + at, left < k_longest ? left : k_longest);
        }
        if (length < k_shortest) {
            g_packed[out++] = text[at++];
            continue;
        }
        uint32_t const back = at - (from - 1);
        g_packed[flags] = static_cast<unsigned char>(g_packed[flags] | 1U << item);
        g_packed[out++] = static_cast<unsigned char>(back);
        g_packed[out++] = static_cast<unsigned char>(back >> 8U);
        g_packed[out++] = static_cast<unsigned char>(length - k_shortest);
        at += length;
    }
    return out;
}

void decompress() {
    uint32_t in = 0;
    for (uint32_t at = 0; at < k_window;) {
        uint32_t const flags = g_packed[in++];
        for (unsigned item = 0; item < 8 && at < k_window; ++item) {
            if ((flags >> item & 1U) == 0) {
                g_unpacked[at++] = g_packed[in++];
                continue;
            }
            uint32_t const back = g_packed[in] | static_cast<uint32_t>(g_packed[in + 1]) << 8U;
            uint32_t const length = g_packed[in + 2] + k_shortest;
            in += 3;
            if (back == 0 || back > at || length > k_window - at)
                fail("the packed text is broken at", at);
            for (uint32_t i = 0; i < length; ++i, ++at)
                g_unpacked[at] = g_unpacked[at - back];
        }
    }
}

} // namespace

char const* const k_name = "cpu-compress";
Parameter* const k_parameters[] = {&g_ops, &g_seed};
size_t const k_parameter_count = 2;

Outcome run() {
    write_text(g_seed.value);
    Outcome outcome;
    outcome.ops = g_ops.value;
    unsigned char const* text = g_text;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i) {
        text = g_text + i * k_shift % k_window;
        outcome.checksum = mix(outcome.checksum, compress(text));
    }
    outcome.ns = linux_call::monotonic_ns() - before;

    compress(text); // with ops=0 there would be nothing to check
    decompress();
    for (uint32_t i = 0; i < k_window; ++i)
        if (g_unpacked[i] != text[i]) fail("the text came back changed at", i);
    outcome.checksum = mix(outcome.checksum, g_ops.value);
    outcome.bytes = g_ops.value * k_window;
    return outcome;
}

} // namespace iso::workload
