#pragma once

#include "common/report.hpp"
#include "common/run_options.hpp"

namespace iso {

/// The end of every `run`: records a failure, prints what is to be said, writes the report, and
/// gives the exit status.
int conclude(RunReport& report, Result<void> done, RunOptions const& options);

} // namespace iso
