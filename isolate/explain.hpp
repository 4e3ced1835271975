#pragma once

#include "common/report.hpp"
#include "isolate/shared.hpp"

#include <string>

namespace iso::jail {

/// The story that --explain tells: each step in order with its cost and reason, then a table of
/// what is isolated, what is shared, what is limited.
std::string explain(JailPlan const& plan, JailSpec const& spec, Shared const& shared,
                    RunReport const& report, MemoryLimit memory);

/// The same of a jail that was not made (--dry-run): no times, and each step of the plan.
std::string explain_plan(JailPlan const& plan, JailSpec const& spec, RunReport const& report,
                         MemoryLimit memory);

} // namespace iso::jail
