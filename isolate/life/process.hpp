#pragma once

#include "common/pidfd.hpp"

#include <cstdint>
#include <string>

namespace iso::jail {

/// A process that is meant even after it has ended: an id is used again, but not with the same
/// start time in the same boot of the machine (proc_pid_stat(5), field 22).
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t start_time = 0; ///< clock ticks since the machine was booted

    [[nodiscard]] bool known() const { return pid > 0; }
    friend bool operator==(ProcessId const&, ProcessId const&) = default;
};

/// Errors: there is no such process, or only what is left of it (a zombie).
Result<ProcessId> identify(pid_t pid);

/// A handle on exactly this process; an error with code ESRCH when it has ended.
Result<Pidfd> open_process(ProcessId const& process);

/// Whether it still runs. A zombie has ended.
bool is_alive(ProcessId const& process);

/// Waits for its end. Returns false when that did not come in `timeout_ns` (0: no limit).
Result<bool> wait_for_end(Pidfd const& process, std::uint64_t timeout_ns);

/// This boot of the machine: random, from /proc/sys/kernel/random/boot_id.
std::string boot_id();

} // namespace iso::jail
