#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/harness/text.hpp"

namespace iso::bench {

/// Why operations take longer: what each made happen, times what that costs on this host, and what
/// is left unexplained. Empty when nothing was counted.
std::string causes(Results const& results, TableStyle const& style);

} // namespace iso::bench
