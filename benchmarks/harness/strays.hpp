#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::bench {

/// Makes this process the one that inherits orphaned descendants (PR_SET_CHILD_SUBREAPER), so that
/// a process which an engine left behind is found, and ended, and told.
Result<void> become_subreaper();

/// While it lives, the children that this process had when it was made are nobody's to end: what
/// follows passes them over.
class [[nodiscard]] KeptChildren {
public:
    KeptChildren();
    ~KeptChildren();
    KeptChildren(KeptChildren const&) = delete;
    KeptChildren& operator=(KeptChildren const&) = delete;
};

/// Waits until every adopted child has ended by itself, or for so long; returns the CPU time of
/// those that did. Not a stray: what a runtime starts may end a moment after the runtime's own
/// process.
std::uint64_t settle(std::uint64_t for_ns);

/// Ends and reaps every child this process has; returns the names ("sleep[1234]") of those that
/// should not have been there. Precondition: the caller's own children are reaped already.
std::vector<std::string> end_strays();

} // namespace iso::bench
