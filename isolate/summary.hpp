#pragma once

#include "common/report.hpp"
#include "isolate/plan.hpp"

#include <string>

namespace iso::jail {

/// The table that closes --explain and --dry-run: what is isolated, what is shared, what is
/// limited. `report` has the facts that turned up while the jail was made.
std::string summary(JailPlan const& plan, JailSpec const& spec, RunReport const& report,
                    MemoryLimit memory);

} // namespace iso::jail
