#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::jail {

/// Where a control group is to be, below the mount points.
struct GroupPath {
    bool absolute = false; ///< from the top; else below the caller's own group
    std::string path;      ///< "/a/b"; empty: a name of our own
};

/// Reads OCI's linux.cgroupsPath: "/a/b", "a/b", or "slice:prefix:name" as the systemd manager
/// has it. The latter becomes the directory that systemd would use
/// ("user-7.slice:jail:x" is /user.slice/user-7.slice/jail-x.scope), which is made without asking
/// systemd. Errors: "..", empty parts, control characters.
Result<GroupPath> read_group_path(std::string const& text);

} // namespace iso::jail
