#pragma once

#include "common/result.hpp"
#include "common/run_options.hpp"
#include "isolate/spec/keys.hpp"

namespace iso::jail {

/// Processes and threads in a jail that nobody gave a limit.
inline constexpr std::uint64_t k_usual_tasks = 512;

/// The jail that `isolate run` makes when only the options are given that all engines share:
/// everything isolated, the program a file of the host.
JailSpec spec_from(RunOptions const& run);

/// Adds what the command line says by the keys of the table. A root that brings more than files to
/// be read brings the program, too, unless the line says whose it is.
/// Errors: `op` is the option.
Result<void> take_said(std::vector<KeyValue> const& said, JailSpec& spec);

} // namespace iso::jail
