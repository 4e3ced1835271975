#pragma once

#include "benchmarks/harness/row.hpp"

namespace iso::bench {

/// Holds a sample against what is known of its workload: the identity of the file, the checksum
/// and exit status that native found, the name and the number of operations that were asked for.
/// What does not agree condemns the arm: void when the bytes or the results differ, failed when it
/// did not run. `asked`: operations that the sample was told to do. Precondition: native's first
/// sample of each number of operations comes first.
void verify(Row& row, std::size_t arm, Sample const& sample, std::uint64_t asked);

} // namespace iso::bench
