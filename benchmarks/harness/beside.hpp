#pragma once

#include "benchmarks/harness/sample.hpp"

namespace iso::bench {

/// Runs one sample while another instance of the same engine, the neighbour, takes as much of
/// something as it can: from before the sample is started until it has ended. The neighbour says a
/// line when it has begun; it is on its own CPU, which the sample's is not. What it cannot do in
/// this engine is not available, and one that ends before it is ended fails the sample.
/// Errors: only the harness's own.
Result<Taken> take_beside(SampleRequest const& request, SampleRequest const& neighbour,
                          Interrupts& interrupts);

} // namespace iso::bench
