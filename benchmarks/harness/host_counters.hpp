#pragma once

#include "common/fd.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::bench {

/// What the host's kernel counts of a sample's whole process tree: system calls, page faults, and
/// instructions where the processor's counters can be reached (perf_event_open(2)).
///
/// The events begin when the process executes its program, follow its descendants, and cost them
/// time: a run that is timed has none.
class [[nodiscard]] HostCounters {
public:
    /// Finds out what this machine and user can count; the others are in missing().
    static HostCounters probe();

    /// Begins with a process that has not executed its program yet; forgets the one before.
    void attach(pid_t pid);

    /// What was counted, by name: "host.syscalls", "host.page_faults", "host.instructions".
    /// Complete when the process and its descendants have ended.
    [[nodiscard]] std::map<std::string, std::uint64_t> read() const;

    [[nodiscard]] std::vector<std::string> const& missing() const { return missing_; }

private:
    struct Event {
        std::string name;
        std::uint32_t type = 0;
        std::uint64_t config = 0;
        bool user_only = false;
        Fd fd = {};
    };
    std::vector<Event> events_;
    std::vector<std::string> missing_;
};

} // namespace iso::bench
