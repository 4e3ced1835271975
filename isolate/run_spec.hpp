#pragma once

#include "common/run_options.hpp"
#include "isolate/spec/spec.hpp"

namespace iso::jail {

/// Processes and threads in a jail that nobody gave a limit.
inline constexpr std::uint64_t k_usual_tasks = 512;

/// The jail that `isolate run` makes when only the options are given that all engines share:
/// everything isolated, the program a file of the host.
JailSpec spec_from(RunOptions const& run);

} // namespace iso::jail
