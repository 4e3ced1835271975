#pragma once

#include "common/result.hpp"

#include <cstdint>

namespace iso::jail {

/// The file system rights that this kernel's Landlock can take away (landlock(7)).
struct LandlockRights {
    std::uint64_t all = 0;      ///< every right that it knows
    std::uint64_t reading = 0;  ///< to read files, list directories, execute
    std::uint64_t of_files = 0; ///< those that make sense for something that is no directory
};

/// Errors: a kernel without Landlock.
Result<LandlockRights> landlock_rights();

/// The three calls, without allocating. They return 0 or an errno value; the first one's
/// descriptor goes to `rules`.
int landlock_begin(std::uint64_t handled, int& rules);
int landlock_allow(int rules, int path, std::uint64_t rights);
int landlock_enforce(int rules);

} // namespace iso::jail
