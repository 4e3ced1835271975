#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace iso::bench {

/// The generator behind every random choice: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). Its
/// output is part of a result's reproducibility, so no standard distribution is used: they differ
/// between C++ libraries.
class Random {
public:
    explicit Random(std::uint64_t seed)
        : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }

    /// Uniform in [0, bound). Precondition: bound > 0.
    std::uint64_t below(std::uint64_t bound) {
        std::uint64_t const unfair = -bound % bound; // reject these, so that no residue is favoured
        std::uint64_t value = next();
        while (value < unfair)
            value = next();
        return value % bound;
    }

    /// Fisher-Yates.
    template <typename T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t i = items.size(); i > 1; --i)
            std::swap(items[i - 1], items[below(i)]);
    }

private:
    std::uint64_t state_;
};

/// A seed for one purpose, derived from the run's seed: independent of what else was drawn before.
inline std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose,
                                 std::uint64_t number) {
    std::uint64_t hash = 0xcbf29ce484222325U; // FNV-1a
    for (char const c : purpose)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return Random(seed ^ hash ^ (number * 0x9e3779b97f4a7c15U)).next();
}

} // namespace iso::bench
