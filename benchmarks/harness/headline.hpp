#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/harness/text.hpp"

#include <string>

namespace iso::bench {

/// What was seen, in words: a paragraph for each engine, with the counts that explain it.
std::string headline(Results const& results, TableStyle const& style);

} // namespace iso::bench
