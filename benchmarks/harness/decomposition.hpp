#pragma once

#include "benchmarks/harness/results.hpp"

namespace iso::bench {

/// Where the time went that an operation takes more than natively: counts times unit costs, and
/// what they leave unexplained.
///
/// An estimate, and meant as one: a unit cost is that of the simplest case (a page fault of a small
/// process, a VM exit with warm caches), so the rest can be negative.
std::vector<Decomposition> decompose(Results const& results);

} // namespace iso::bench
