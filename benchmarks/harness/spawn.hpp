#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::bench {

/// How one measured process is started: the same in every arm, so that it cancels out.
struct SpawnRequest {
    std::vector<std::string> command; ///< command[0] is an absolute path
    int stdout_fd = -1;
    int stderr_fd = -1;
    int report_fd = -1;     ///< becomes descriptor `k_report_fd` in the child; -1: none
    std::optional<int> cpu; ///< the one CPU it may use
    std::vector<std::string> environment; ///< NAME=VALUE
    int death_signal = 9;                 ///< what it gets when the harness dies
    /// Called with the process before it executes its program. It is then made by a plain fork, and
    /// waits: for runs that are counted, not timed.
    std::function<void(pid_t)> before_exec = {};
};

/// The number the report pipe has in every child.
inline constexpr int k_report_fd = 3;

struct Spawned {
    pid_t pid = -1;
    std::uint64_t spawn_ns = 0; ///< CLOCK_MONOTONIC just before the process was made
};

/// Starts a process in its own process group with this environment alone, /dev/null on stdin, no
/// core dumps, no transparent huge pages, working directory / and no other descriptors.
///
/// By clone(CLONE_VM | CLONE_VFORK): the harness's page tables are not copied, so a start costs
/// the same whatever the size of the harness.
/// Errors: the step that failed, with its errno; 126 and 127 as in a shell when it was execve(2).
Result<Spawned> spawn(SpawnRequest const& request);

} // namespace iso::bench
