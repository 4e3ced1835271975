#pragma once

#include "benchmarks/harness/sample.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace iso::bench {

/// One place in a block: which arm runs, and for what.
struct Slot {
    std::size_t arm = 0;
    Role role = Role::measure;

    friend bool operator==(Slot const&, Slot const&) = default;
};

/// The order of one block: every arm once, shuffled; with a baseline, each arm's pair stays
/// together, and which of the two comes first is drawn as well. Every second block runs in the
/// reverse order of the one before it: what going first costs (colder caches) then weighs equally
/// on all arms, not only in the long run. Blocks are numbered from 1.
///
/// Depends on nothing but its arguments, so that a run can be repeated from its seed, whatever the
/// time budget cut off.
std::vector<Slot> block_order(std::uint64_t seed, std::string_view workload, std::uint64_t block,
                              std::vector<std::size_t> const& arms, bool with_baseline);

} // namespace iso::bench
