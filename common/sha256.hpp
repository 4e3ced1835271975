#pragma once

// Freestanding on purpose: the workloads hash their own mapped bytes with this same code, without
// a C library, and the harness hashes files with it.
#include <stddef.h>
#include <stdint.h>

namespace iso {

/// SHA-256 (FIPS 180-4), one message at a time: update() any number of times, then finish() once.
class Sha256 {
public:
    static constexpr size_t digest_size = 32;

    void update(void const* data, size_t size) {
        auto const* bytes = static_cast<unsigned char const*>(data);
        length_ += size;
        while (size != 0) {
            if (used_ == 0 && size >= sizeof block_) {
                compress(bytes);
                bytes += sizeof block_;
                size -= sizeof block_;
                continue;
            }
            block_[used_++] = *bytes++;
            --size;
            if (used_ == sizeof block_) {
                compress(block_);
                used_ = 0;
            }
        }
    }

    /// Writes the 64 lower-case hexadecimal digits of the digest and a terminating zero.
    void finish_hex(char (&text)[2 * digest_size + 1]) {
        unsigned char digest[digest_size];
        finish(digest);
        char const* const digits = "0123456789abcdef";
        for (size_t i = 0; i < digest_size; ++i) {
            text[2 * i] = digits[digest[i] >> 4U];
            text[2 * i + 1] = digits[digest[i] & 15U];
        }
        text[2 * digest_size] = '\0';
    }

    void finish(unsigned char (&digest)[digest_size]) {
        uint64_t const bits = length_ * 8;
        unsigned char const one = 0x80;
        unsigned char const zero = 0;
        update(&one, 1);
        while (used_ != 56)
            update(&zero, 1);
        unsigned char big_endian[8];
        for (unsigned i = 0; i < 8; ++i)
            big_endian[i] = static_cast<unsigned char>(bits >> (56U - 8U * i));
        update(big_endian, sizeof big_endian);
        for (unsigned i = 0; i < 8; ++i)
            for (unsigned j = 0; j < 4; ++j)
                digest[4 * i + j] = static_cast<unsigned char>(state_[i] >> (24U - 8U * j));
    }

private:
    static constexpr uint32_t rotate(uint32_t x, unsigned n) { return x >> n | x << (32U - n); }

    void compress(unsigned char const* p) {
        // FIPS 180-4 section 4.2.2: the first 32 bits of the fractional parts of the cube roots
        // of the first 64 primes.
        static constexpr uint32_t k[64] = {
            0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
            0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
            0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
            0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
            0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
            0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
            0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
            0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
            0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
            0xc67178f2};
        uint32_t w[64];
        for (unsigned i = 0; i < 16; ++i)
            w[i] = static_cast<uint32_t>(p[4 * i]) << 24U |
                   static_cast<uint32_t>(p[4 * i + 1]) << 16U |
                   static_cast<uint32_t>(p[4 * i + 2]) << 8U | static_cast<uint32_t>(p[4 * i + 3]);
        for (unsigned i = 16; i < 64; ++i) {
            uint32_t const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3U);
            uint32_t const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10U);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        uint32_t v[8];
        for (unsigned i = 0; i < 8; ++i)
            v[i] = state_[i];
        for (unsigned i = 0; i < 64; ++i) {
            uint32_t const s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
            uint32_t const choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
            uint32_t const t1 = v[7] + s1 + choose + k[i] + w[i];
            uint32_t const s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
            uint32_t const majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            uint32_t const t2 = s0 + majority;
            v[7] = v[6];
            v[6] = v[5];
            v[5] = v[4];
            v[4] = v[3] + t1;
            v[3] = v[2];
            v[2] = v[1];
            v[1] = v[0];
            v[0] = t1 + t2;
        }
        for (unsigned i = 0; i < 8; ++i)
            state_[i] += v[i];
    }

    // FIPS 180-4 section 5.3.3: the fractional parts of the square roots of the first 8 primes.
    uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char block_[64] = {};
    size_t used_ = 0;
    uint64_t length_ = 0;
};

} // namespace iso
