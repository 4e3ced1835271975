#pragma once

#include "isolate/plan.hpp"

namespace iso::jail {

/// What a container of OCI's has beside what its config.json says.
struct Arrangement {
    bool terminal = false;   ///< of its own
    bool hooks = false;      ///< it waits before pivot_root(2) until they have run
    bool outlives = false;   ///< whoever makes it ends, and it does not
    bool new_keyring = true; ///< else the caller's session keyring stays
    std::string directory;   ///< the program's working directory: made where it is missing
};

/// Turns the plan of a jail into that of a container: it waits before its rights are taken until
/// somebody starts it, and what can be known to be wrong is said before that.
void arrange_container(JailPlan& plan, Arrangement const& wanted);

} // namespace iso::jail
