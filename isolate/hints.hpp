#pragma once

#include "isolate/plan.hpp"

#include <string>

namespace iso::jail {

/// Turns a failed step into an error that says what to do on this machine.
Error step_error(JailPlan const& plan, std::size_t step, int error_number);

/// Why clone3 with new namespaces failed here, and what to do.
Error clone_error(JailPlan const& plan, int error_number);

} // namespace iso::jail
