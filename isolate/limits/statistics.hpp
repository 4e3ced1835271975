#pragma once

#include "isolate/limits/control_group.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iso::jail {

/// A line of the table of limits, as OpenVZ's /proc/user_beancounters has them: what is held now,
/// the most that was ever held, the limit, and how often the limit refused something. What a kernel
/// does not count is empty.
struct LimitRow {
    enum class Unit : std::uint8_t { count, bytes, nanoseconds };
    char const* resource = "";
    Unit unit = Unit::count;
    std::optional<std::uint64_t> held, highest, limit, failures;
};

/// What a control group counted. 0 or empty: not counted here.
struct GroupStatistics {
    struct Memory {
        std::optional<std::uint64_t> now, peak, limit, failures;
    };
    Memory memory;
    Memory swap;                            ///< beside the memory
    Memory kernel;                          ///< of the memory, what the kernel holds for it
    Memory sockets;                         ///< of the memory, network buffers
    std::optional<std::uint64_t> oom_kills; ///< processes ended for want of memory
    std::optional<std::uint64_t> tasks, tasks_peak, tasks_limit, tasks_refused;
    std::optional<std::uint64_t> cpu_ns, cpu_user_ns, cpu_system_ns;
    std::optional<std::uint64_t> cpu_periods, cpu_throttled, cpu_throttled_ns;
    std::optional<std::uint64_t> cpu_quota_us, cpu_period_us;
    std::optional<std::uint64_t> read_bytes, written_bytes, reads, writes;

    [[nodiscard]] std::vector<LimitRow> rows() const;
};

/// The table as text, with a heading: what `isolate limits NAME` prints.
std::string limits_table(std::vector<LimitRow> const& rows);

/// What happens in a group and is worth telling: runs out of memory, and refused tasks.
class [[nodiscard]] LimitEvents {
public:
    struct Event {
        enum class Kind : std::uint8_t { out_of_memory, task_refused } kind;
        std::uint64_t count = 0; ///< how many since the last take()
    };

    /// Errors: neither controller is in the group, or no descriptor is to be had.
    static Result<LimitEvents> watch(ControlGroup const& group);

    /// Readable (poll(2)) when something may have happened.
    [[nodiscard]] int fd() const { return poll_.get(); }
    /// What happened since the last call; never waits.
    std::vector<Event> take();

private:
    Result<void> look_regularly();
    [[nodiscard]] std::uint64_t refused() const;
    std::uint64_t out_of_memory();

    Fd poll_, changes_, timer_, v1_oom_, v1_control_;
    std::string pids_file_, memory_file_; ///< of version 2
    std::uint64_t seen_refused_ = 0, seen_oom_ = 0, v1_ooms_ = 0;
};

} // namespace iso::jail
