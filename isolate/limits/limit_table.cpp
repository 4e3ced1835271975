#include "isolate/limits/statistics.hpp"

#include <fmt/format.h>

#include <iterator>

namespace iso::jail {

namespace {

using Number = std::optional<std::uint64_t>;

std::string amount(Number const& value, LimitRow::Unit unit) {
    if (!value) return "-";
    if (*value == k_unlimited) return "none";
    double const exact = static_cast<double>(*value);
    if (unit == LimitRow::Unit::nanoseconds) return fmt::format("{:.3f} s", exact / 1e9);
    if (unit == LimitRow::Unit::count || *value < 1024) return std::to_string(*value);
    constexpr char const* k_units[] = {"K", "M", "G", "T"};
    double scaled = exact / 1024;
    std::size_t at = 0;
    for (; scaled >= 1024 && at + 1 < std::size(k_units); ++at)
        scaled /= 1024;
    // Whole numbers as they are given to isolate; others with a digit, to be read and not computed.
    return scaled == static_cast<double>(static_cast<std::uint64_t>(scaled))
               ? fmt::format("{:.0f}{}", scaled, k_units[at])
               : fmt::format("{:.1f}{}", scaled, k_units[at]);
}

void add_memory(std::vector<LimitRow>& rows, char const* name,
                GroupStatistics::Memory const& memory) {
    if (!memory.now && !memory.limit) return;
    rows.push_back(
        {name, LimitRow::Unit::bytes, memory.now, memory.peak, memory.limit, memory.failures});
}

} // namespace

std::vector<LimitRow> GroupStatistics::rows() const {
    std::vector<LimitRow> rows;
    add_memory(rows, "memory", memory);
    add_memory(rows, "swap", swap);
    add_memory(rows, "kernel memory", kernel);
    add_memory(rows, "socket buffers", sockets);
    if (oom_kills)
        rows.push_back({"out-of-memory kills", LimitRow::Unit::count, {}, {}, {}, oom_kills});
    if (tasks)
        rows.push_back(
            {"tasks", LimitRow::Unit::count, tasks, tasks_peak, tasks_limit, tasks_refused});
    if (cpu_ns) rows.push_back({"CPU time", LimitRow::Unit::nanoseconds, cpu_ns, {}, {}, {}});
    if (cpu_quota_us && cpu_period_us) {
        Number quota = cpu_quota_us;
        if (*quota != k_unlimited) *quota *= 1000;
        // How much of each period may be used, and in how many periods that was not enough.
        rows.push_back(
            {"CPU per period", LimitRow::Unit::nanoseconds, {}, {}, quota, cpu_throttled});
    }
    if (read_bytes) rows.push_back({"bytes read", LimitRow::Unit::bytes, read_bytes, {}, {}, {}});
    if (written_bytes)
        rows.push_back({"bytes written", LimitRow::Unit::bytes, written_bytes, {}, {}, {}});
    return rows;
}

std::string limits_table(std::vector<LimitRow> const& rows) {
    std::string text = fmt::format("{:<22}{:>12}{:>14}{:>12}{:>12}\n", "resource", "held",
                                   "highest held", "limit", "failures");
    for (LimitRow const& row : rows)
        text +=
            fmt::format("{:<22}{:>12}{:>14}{:>12}{:>12}\n", row.resource,
                        amount(row.held, row.unit), amount(row.highest, row.unit),
                        amount(row.limit, row.unit), amount(row.failures, LimitRow::Unit::count));
    return text;
}

} // namespace iso::jail
