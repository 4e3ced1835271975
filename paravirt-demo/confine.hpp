#pragma once

#include "common/result.hpp"

namespace iso::pv {

/// Confines the monitor, and by inheritance everything it starts: no_new_privs, no capabilities,
/// and a filter under which nothing can be opened by name, connected, mounted or traced. The stubs
/// add their own, much narrower filters on top. `disk`: the descriptor that may be read and written
/// at a place; -1: none.
Result<void> confine(int disk);

} // namespace iso::pv
