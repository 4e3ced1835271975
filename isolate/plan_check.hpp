#pragma once

#include "isolate/plan.hpp"

namespace iso::jail {

/// What the model can say and the planner cannot do is refused by name, never left out.
Result<void> check_supported(JailSpec const& spec);

/// The program (of the host) must be a file that the kernel can start in this root.
Result<void> check_program(JailPlan const& plan, JailSpec const& spec);

} // namespace iso::jail
