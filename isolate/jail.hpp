#pragma once

#include "common/engine.hpp"
#include "common/report.hpp"
#include "isolate/plan.hpp"

namespace iso::jail {

/// Runs a program in a jail and reports. Never throws; a failure is in the report.
///
/// With options.run.explain or .trace, tells on stderr what it does.
RunReport run(JailOptions const& options);

/// Whether jails can be made here, by making one: an empty one that ends before any program.
EngineProbe probe();

} // namespace iso::jail
