#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::jail {

/// What the options of a mount mean to the kernel's calls.
struct MountFlags {
    std::uint64_t attributes = 0;  ///< MOUNT_ATTR_* (mount_setattr(2))
    std::uint64_t propagation = 0; ///< MS_PRIVATE and so on; 0: nobody said
    bool recursive = false;        ///< with what is mounted below (rbind)
    bool bind = false;
    bool copy_up = false; ///< tmpcopyup: a tmpfs begins with what it covers
    std::string data;     ///< for the file system itself: "size=64m,mode=1777"
};

/// Reads the options of mount(8) and of OCI's mounts.
/// Errors: an option that makes no sense here, or cannot be honoured; `op` names the mount.
Result<MountFlags> read_mount_options(MountSpec const& mount);

/// Every option that is read by its name, those that change nothing as well.
std::vector<std::string> mount_option_names();

/// MS_* of a propagation's name, with MS_REC when it begins with r; 0 for an unknown one.
std::uint64_t propagation_flags(std::string const& name);

} // namespace iso::jail
