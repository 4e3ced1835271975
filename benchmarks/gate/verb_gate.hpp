#pragma once

#include "benchmarks/gate/gate_options.hpp"
#include "common/result.hpp"

namespace iso::bench {

/// `isobench gate`. Returns its exit status: 0 fine, 1 regression, 2 something did not run, 3 too
/// noisy to say, 128+n interrupted.
Result<int> verb_gate(GateOptions const& options);

} // namespace iso::bench
