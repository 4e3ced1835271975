#pragma once

#include "isolate/life/store.hpp"
#include "isolate/spec/spec.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iso::jail {

/// One more program for a jail that runs.
struct ExecOptions {
    std::vector<std::string> words;       ///< the program and its arguments
    std::vector<std::string> environment; ///< beside the jail's own
    std::string directory;                ///< empty: the jail's own
    std::optional<ProcessSpec> process;   ///< instead of the above: all that the program is
    std::optional<std::uint32_t> uid, gid;
    std::vector<std::uint32_t> groups; ///< beside the jail's own
    std::uint64_t capabilities = 0;    ///< beside the jail's own
    bool no_new_privileges = false;    ///< also where the jail has them
    int program = -1; ///< a descriptor to execute in the place of the program, if not -1
    bool detach = false;
    bool terminal = false;
    bool own_streams = false;   ///< when detached: it keeps 0, 1 and 2 of ours
    std::string console_socket; ///< where the master of its terminal is sent
    std::string pid_file;
    int kept_descriptors = 0; ///< it gets so many of ours, from 3 on
};

/// Runs a program in the namespaces, the control group and behind the walls of a jail, which are
/// those of the jail's own program (one planner writes both). Returns its exit status, as `run`
/// would; 0 with `detach`, when it was started.
/// Errors: the jail does not run; the program is not there (127) or cannot be executed (126).
Result<int> exec_in_jail(Store const& store, std::string const& name, ExecOptions const& options);

} // namespace iso::jail
