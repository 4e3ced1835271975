#pragma once

#include "isolate/plan.hpp"

namespace iso::jail {

/// What a spec asks for that cannot be, or not by this caller, is refused by name before anything
/// is made.
Result<void> check_spec(JailSpec const& spec, IdMap const& ids, bool from_root);

/// The part of that which concerns the program's process alone.
Result<void> check_process(JailSpec const& spec, IdMap const& ids);

/// The program (of the host) must be a file that the kernel can start in this root.
Result<void> check_program(JailPlan const& plan, JailSpec const& spec);

} // namespace iso::jail
