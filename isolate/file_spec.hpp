#pragma once

#include "common/result.hpp"
#include "common/run_options.hpp"
#include "isolate/spec/spec.hpp"

#include <string>

namespace iso::jail {

/// The jail that `isolate run --file FILE` makes: what the jail file says, and what the options
/// that all engines share add to it or change. A program on the command line takes the place of the
/// file's.
Result<JailSpec> spec_from_file(std::string const& file, RunOptions const& run);

} // namespace iso::jail
