#pragma once

#include "common/result.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// One mounted hierarchy of control groups (cgroups(7)): version 1 has one for each controller or
/// pair of them, version 2 one for all.
struct Hierarchy {
    std::string mount;                    ///< the directory it is mounted at
    std::vector<std::string> controllers; ///< of version 1 also "name=systemd"
    bool v2 = false;
    std::string own; ///< the caller's own group, below `mount`: "" or "/a/b"

    [[nodiscard]] bool has(std::string_view controller) const;
};

/// What this machine has: version 1, version 2, or both ("hybrid").
struct Hierarchies {
    std::vector<Hierarchy> all;

    /// The hierarchy that holds a controller, or nullptr. "io" and "blkio" are one controller with
    /// a name for each version.
    [[nodiscard]] Hierarchy const* with(std::string_view controller) const;
    [[nodiscard]] Hierarchy const* v2() const;
    /// "version 1", "version 2" or "hybrid (version 1, and version 2 with hugetlb)".
    [[nodiscard]] std::string text() const;
};

/// Reads /proc/self/mountinfo and /proc/self/cgroup. Errors: neither can be read.
Result<Hierarchies> find_hierarchies();

/// The same from the text of these files; `controllers_of` reads MOUNT/cgroup.controllers.
Hierarchies
parse_hierarchies(std::string_view mountinfo, std::string_view groups,
                  std::function<std::string(std::string const& mount)> const& controllers_of);

} // namespace iso::jail
