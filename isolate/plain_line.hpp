#pragma once

#include "common/run_options.hpp"

namespace iso::jail {

/// Reads the command lines by which isolate is mostly started, for which the library that knows
/// every option would take a tenth of the whole run:
///
///     isolate run [--report-fd=N] [--timeout=DURATION] -- PROGRAM [ARG...]
///
/// False when the line is any other, or wrong: then that library shall read (and judge) it, and
/// `options` is as it was.
bool read_plain_line(int argc, char const* const* argv, RunOptions& options);

} // namespace iso::jail
