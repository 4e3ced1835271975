#pragma once

#include "isolate/shared.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// What the two children of an exec need. Like the plan of a jail it is complete before they exist.
struct ExecPlan {
    JailPlan plan;            ///< the steps of the program's own process
    int jail = -1;            ///< pidfd of process 1
    int namespaces = 0;       ///< CLONE_NEW* of those to join
    bool become_root = false; ///< ids have to be taken on: ours mean nothing inside
};

/// What they tell, in memory that all three map.
struct ExecShared {
    std::atomic<int> program = 0; ///< its process, as the host numbers it
    int failed_errno = 0;
    std::atomic<int> failed_at = 0; ///< ExecFailure
    int failed_step = 0;            ///< of the plan, when it was one
};
enum class ExecFailure : int { none, join, identity, clone, step };

/// The first child: joins the jail and starts the program's process as a child of our parent.
[[noreturn]] void exec_main(ExecPlan const& plan, ExecShared& shared, ChildSetup const& setup);

} // namespace iso::jail
