#pragma once

#include "benchmarks/harness/measure.hpp"

#include <functional>
#include <string_view>

namespace iso::bench {

/// measure(), and `on_output` gets what arrives on stdout while it runs: for what takes long and is
/// not timed.
Result<RawRun> measure_aloud(MeasureRequest const& request, Interrupts& interrupts,
                             std::function<void(std::string_view)> on_output);

} // namespace iso::bench
