#include "common/clock.hpp"
#include "common/json.hpp"
#include "isolate/limits/statistics.hpp"
#include "isolate/oci/tools.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace iso::jail {

namespace {

using nlohmann::json;

/// What a kernel does not count is left out.
void put(json& out, char const* name, std::optional<std::uint64_t> const& value) {
    if (value) out[name] = *value == k_unlimited ? json(nullptr) : json(*value);
}

json memory_json(GroupStatistics::Memory const& memory) {
    json out = json::object();
    put(out, "usage", memory.now);
    put(out, "max", memory.peak);
    put(out, "limit", memory.limit);
    put(out, "failcnt", memory.failures);
    return out;
}

/// The form of runc's events.
json stats_json(GroupStatistics const& seen) {
    json cpu = json::object();
    put(cpu["usage"], "total", seen.cpu_ns);
    put(cpu["usage"], "user", seen.cpu_user_ns);
    put(cpu["usage"], "kernel", seen.cpu_system_ns);
    put(cpu["throttling"], "periods", seen.cpu_periods);
    put(cpu["throttling"], "throttledPeriods", seen.cpu_throttled);
    put(cpu["throttling"], "throttledTime", seen.cpu_throttled_ns);
    json tasks = json::object();
    put(tasks, "current", seen.tasks);
    put(tasks, "limit", seen.tasks_limit);
    json io = json::object();
    put(io, "readBytes", seen.read_bytes);
    put(io, "writtenBytes", seen.written_bytes);
    put(io, "reads", seen.reads);
    put(io, "writes", seen.writes);
    return {{"cpu", cpu},
            {"memory",
             {{"usage", memory_json(seen.memory)},
              {"swap", memory_json(seen.swap)},
              {"kernel", memory_json(seen.kernel)}}},
            {"pids", tasks},
            {"blkio", io}};
}

Result<void> print_event(char const* type, std::string const& name, json const& data) {
    json out = {{"type", type}, {"id", name}};
    if (!data.is_null()) out["data"] = data;
    return write_all(STDOUT_FILENO, out.dump() + "\n");
}

} // namespace

Result<void> print_events(Store const& store, std::string const& name, std::uint64_t interval_ns,
                          bool once) {
    Seen const seen = TRY(store.look(name));
    std::string const op = "events of '" + name + "'";
    if (seen.record.status == Status::stopped) return error(op, "it has ended");
    if (seen.record.group.empty()) return error(op, "it has no control group");
    ControlGroup const group = TRY(ControlGroup::open(seen.record.group));
    if (once) return print_event("stats", name, stats_json(group.statistics()));
    Pidfd const process = TRY(open_process(seen.record.init));
    LimitEvents events = TRY(LimitEvents::watch(group));
    for (std::uint64_t next = monotonic_ns();;) {
        if (monotonic_ns() >= next) {
            TRY(print_event("stats", name, stats_json(group.statistics())));
            next += interval_ns;
        }
        pollfd polled[2] = {{process.get(), POLLIN, 0}, {events.fd(), POLLIN, 0}};
        if (::poll(polled, 2, wait_ms(next)) < 0 && errno != EINTR) return sys_error("poll");
        for (LimitEvents::Event const& event : events.take())
            if (event.kind == LimitEvents::Event::Kind::out_of_memory)
                TRY(print_event("oom", name, {}));
        if (polled[0].revents != 0) return {};
    }
}

} // namespace iso::jail
