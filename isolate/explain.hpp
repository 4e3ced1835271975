#pragma once

#include "common/report.hpp"
#include "isolate/shared.hpp"

#include <string>

namespace iso::jail {

/// The story that --explain tells: each step in order with its cost and reason, then a table of
/// what is isolated and what is still shared.
std::string explain(JailPlan const& plan, Shared const& shared, RunReport const& report,
                    MemoryLimit memory);

} // namespace iso::jail
