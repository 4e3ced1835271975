#include "isolate/limits/statistics.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace iso::jail {

namespace {

using Number = std::optional<std::uint64_t>;

/// v1's "no limit" is the largest multiple of a page.
constexpr std::uint64_t k_v1_unlimited = std::uint64_t{1} << 62U;

Number parse(std::string const& text) {
    if (text.starts_with("max")) return k_unlimited;
    char* end = nullptr;
    unsigned long long const value = std::strtoull(text.c_str(), &end, 10);
    if (end == text.c_str() || text.front() == '-') return {};
    return value;
}

/// The number behind `key ` at the start of a line.
Number keyed(std::string const& text, std::string const& key) {
    std::string const wanted = key + " ";
    for (std::size_t at = 0; at < text.size();) {
        if (text.compare(at, wanted.size(), wanted) == 0)
            return parse(text.substr(at + wanted.size()));
        at = text.find('\n', at);
        if (at == std::string::npos) break;
        ++at;
    }
    return {};
}

Number difference(Number both, Number one) {
    if (!both || !one) return {};
    return *both > *one ? *both - *one : 0;
}

Number times(Number value, std::uint64_t factor) {
    if (!value) return {};
    return *value * factor;
}

/// Sums "rbytes=5 wbytes=7" (io.stat) over the devices.
Number summed(std::string const& text, std::string const& key) {
    Number sum;
    for (std::size_t at = 0; (at = text.find(key + "=", at)) != std::string::npos;) {
        at += key.size() + 1;
        sum = sum.value_or(0) + parse(text.substr(at, 24)).value_or(0);
    }
    return sum;
}

/// Sums "8:0 Read 5" (blkio) over the devices.
Number summed_v1(std::string const& text, std::string const& operation) {
    Number sum;
    std::istringstream lines(text);
    std::string device;
    std::string what;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::uint64_t value = 0;
        if (words >> device >> what >> value && what == operation) sum = sum.value_or(0) + value;
    }
    return sum;
}

class Reader {
public:
    explicit Reader(ControlGroup const& group)
        : group_(group) {}

    GroupStatistics read() {
        if (auto const* place = group_.place("memory")) place->v2 ? memory_v2() : memory_v1();
        if (group_.place("pids") != nullptr) tasks();
        if (auto const* place = group_.place("cpu")) place->v2 ? cpu_v2() : cpu_v1();
        if (auto const* place = group_.place("cpuacct")) cpu_used_v1(place->v2);
        if (auto const* place = group_.place("blkio")) place->v2 ? io_v2() : io_v1();
        return std::move(seen_);
    }

private:
    Number number(char const* controller, std::string const& file) const {
        Number value = parse(group_.text(controller, file));
        if (value && *value >= k_v1_unlimited) value = k_unlimited;
        return value;
    }

    GroupStatistics::Memory memory_row_v1(std::string const& prefix) const {
        return {number("memory", prefix + "usage_in_bytes"),
                number("memory", prefix + "max_usage_in_bytes"),
                number("memory", prefix + "limit_in_bytes"), number("memory", prefix + "failcnt")};
    }

    void memory_v1() {
        seen_.memory = memory_row_v1("memory.");
        seen_.kernel = memory_row_v1("memory.kmem.");
        seen_.sockets = memory_row_v1("memory.kmem.tcp.");
        // Together they are counted; the highest of the sum less the highest of the one says
        // nothing.
        auto const both = memory_row_v1("memory.memsw.");
        seen_.swap.now = difference(both.now, seen_.memory.now);
        seen_.swap.limit =
            both.limit == k_unlimited ? both.limit : difference(both.limit, seen_.memory.limit);
        seen_.oom_kills = keyed(group_.text("memory", "memory.oom_control"), "oom_kill");
        // Where swap is limited to nothing, the joint limit is the one that is met, and Linux 6.18
        // does not count that. But who was killed was refused first.
        seen_.memory.failures =
            std::max(seen_.memory.failures.value_or(0) + both.failures.value_or(0),
                     seen_.oom_kills.value_or(0));
        seen_.swap.failures.reset();
    }

    void memory_v2() {
        std::string const events = group_.text("memory", "memory.events");
        std::string const swap_events = group_.text("memory", "memory.swap.events");
        std::string const parts = group_.text("memory", "memory.stat");
        seen_.memory = {number("memory", "memory.current"), number("memory", "memory.peak"),
                        number("memory", "memory.max"), keyed(events, "max")};
        seen_.swap = {number("memory", "memory.swap.current"), number("memory", "memory.swap.peak"),
                      number("memory", "memory.swap.max"), keyed(swap_events, "max")};
        seen_.kernel.now = keyed(parts, "kernel");
        seen_.sockets.now = keyed(parts, "sock");
        seen_.oom_kills = keyed(events, "oom_kill");
    }

    void tasks() {
        seen_.tasks = number("pids", "pids.current");
        seen_.tasks_peak = number("pids", "pids.peak");
        seen_.tasks_limit = number("pids", "pids.max");
        seen_.tasks_refused = keyed(group_.text("pids", "pids.events"), "max");
    }

    void throttled(std::string const& text, char const* time, std::uint64_t unit) {
        seen_.cpu_periods = keyed(text, "nr_periods");
        seen_.cpu_throttled = keyed(text, "nr_throttled");
        seen_.cpu_throttled_ns = times(keyed(text, time), unit);
    }

    void cpu_v1() {
        throttled(group_.text("cpu", "cpu.stat"), "throttled_time", 1);
        seen_.cpu_period_us = number("cpu", "cpu.cfs_period_us");
        std::string const quota = group_.text("cpu", "cpu.cfs_quota_us");
        if (!quota.empty()) seen_.cpu_quota_us = quota.front() == '-' ? k_unlimited : parse(quota);
    }

    void cpu_v2() {
        std::string const text = group_.text("cpu", "cpu.stat");
        throttled(text, "throttled_usec", 1000);
        seen_.cpu_ns = times(keyed(text, "usage_usec"), 1000);
        seen_.cpu_user_ns = times(keyed(text, "user_usec"), 1000);
        seen_.cpu_system_ns = times(keyed(text, "system_usec"), 1000);
        std::string const max = group_.text("cpu", "cpu.max");
        if (max.empty()) return;
        seen_.cpu_quota_us = parse(max);
        seen_.cpu_period_us = parse(max.substr(max.find(' ') + 1));
    }

    void cpu_used_v1(bool v2) {
        if (v2) return;
        seen_.cpu_ns = number("cpuacct", "cpuacct.usage");
        seen_.cpu_user_ns = number("cpuacct", "cpuacct.usage_user");
        seen_.cpu_system_ns = number("cpuacct", "cpuacct.usage_sys");
    }

    void io_v1() {
        std::string const bytes = group_.text("blkio", "blkio.throttle.io_service_bytes_recursive");
        std::string const counts = group_.text("blkio", "blkio.throttle.io_serviced_recursive");
        seen_.read_bytes = summed_v1(bytes, "Read");
        seen_.written_bytes = summed_v1(bytes, "Write");
        seen_.reads = summed_v1(counts, "Read");
        seen_.writes = summed_v1(counts, "Write");
    }

    void io_v2() {
        std::string const text = group_.text("io", "io.stat");
        seen_.read_bytes = summed(text, "rbytes");
        seen_.written_bytes = summed(text, "wbytes");
        seen_.reads = summed(text, "rios");
        seen_.writes = summed(text, "wios");
    }

    ControlGroup const& group_;
    GroupStatistics seen_;
};

} // namespace

GroupStatistics ControlGroup::statistics() const {
    return Reader(*this).read();
}

} // namespace iso::jail
