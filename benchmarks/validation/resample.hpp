#pragma once

#include "benchmarks/gate/judge.hpp"
#include "benchmarks/validation/pool.hpp"

#include <array>
#include <cstdint>

namespace iso::bench::validation {

/// How many gate runs ended with each exit status.
struct Tally {
    std::array<std::uint64_t, 4> by_status{}; ///< fine, regression, not run, too noisy
    std::uint64_t blocks = 0;                 ///< of all runs together

    [[nodiscard]] std::uint64_t runs() const {
        return by_status[0] + by_status[1] + by_status[2] + by_status[3];
    }
};

/// One gate run that could have been: it begins at block `first` of the pool, measures until the
/// gate's own rule says that it is enough, and is judged by the gate.
Judgement replay(Pool const& pool, std::size_t first, std::array<std::size_t, 3> const& roles,
                 GateRule const& rule, std::uint64_t most_blocks);

/// So many runs, each from a block drawn at random to wherever it stops: neighbouring blocks stay
/// neighbours, because a neighbour on the machine stays for longer than a block. What is the same
/// is exchangeable: base and base again, and head too when nothing was injected.
/// Precondition: the pool has at least `most_blocks`.
Tally resample(Pool const& pool, std::uint64_t runs, std::uint64_t seed, GateRule const& rule,
               std::uint64_t most_blocks);

/// The same with every block of a run drawn for itself: so many more runs can differ, and what
/// lasts longer than a block is lost.
Tally resample_blocks(Pool const& pool, std::uint64_t runs, std::uint64_t seed,
                      GateRule const& rule, std::uint64_t most_blocks);

} // namespace iso::bench::validation
