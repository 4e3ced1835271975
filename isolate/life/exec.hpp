#pragma once

#include "isolate/life/store.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// One more program for a jail that runs.
struct ExecOptions {
    std::vector<std::string> words;       ///< the program and its arguments
    std::vector<std::string> environment; ///< beside the jail's own
    std::string directory;                ///< empty: the jail's own
    bool detach = false;
    bool terminal = false;
};

/// Runs a program in the namespaces, the control group and behind the walls of a jail: no
/// capability, no new privileges, the jail's system call filter, a session of its own. Returns its
/// exit status, as `run` would; 0 with `detach`, when it was started.
/// Errors: the jail does not run; the program is not there (127) or cannot be executed (126).
Result<int> exec_in_jail(Store const& store, std::string const& name, ExecOptions const& options);

} // namespace iso::jail
