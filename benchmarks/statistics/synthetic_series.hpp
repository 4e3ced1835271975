#pragma once

#include "benchmarks/statistics/random.hpp"

#include <cmath>
#include <vector>

namespace iso::bench::test {

/// Series whose changes are known, for the tests of what finds them.
class SyntheticSeries {
public:
    explicit SyntheticSeries(std::uint64_t seed)
        : random_(seed) {}

    /// Standard normal (Box and Muller, Annals of Mathematical Statistics 29, 1958).
    double normal() {
        constexpr double k_pi = 3.14159265358979323846;
        double const radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(2 * k_pi * uniform());
    }

    /// Around 1 with this much noise; from `step` on by the share `change` higher.
    std::vector<double> stepped(std::size_t points, double noise, std::size_t step, double change) {
        std::vector<double> values;
        for (std::size_t i = 0; i < points; ++i)
            values.push_back((i < step ? 1 : 1 + change) * (1 + noise * normal()));
        return values;
    }

    /// The same without a change, where one point in ten has eight times the noise: a busy machine.
    std::vector<double> spiky(std::size_t points, double noise) {
        std::vector<double> values;
        for (std::size_t i = 0; i < points; ++i)
            values.push_back(1 + noise * normal() * (random_.below(10) == 0 ? 8 : 1));
        return values;
    }

private:
    double uniform() { // in (0, 1]
        return (static_cast<double>(random_.next() >> 11U) + 1) / 9007199254740992.0;
    }

    Random random_;
};

} // namespace iso::bench::test
