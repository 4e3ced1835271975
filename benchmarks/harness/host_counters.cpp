#include "benchmarks/harness/host_counters.hpp"

#include "benchmarks/harness/environment_sources.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/syscall.h>

namespace iso::bench {

namespace {

Fd open_event(pid_t pid, std::uint32_t type, std::uint64_t config, bool user_only) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = config;
    attributes.disabled = 1;
    attributes.inherit = 1;
    attributes.enable_on_exec = 1;
    attributes.exclude_kernel = user_only ? 1 : 0;
    attributes.exclude_hv = user_only ? 1 : 0;
    return Fd(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

/// The number of a tracepoint, or 0 when tracefs does not show it.
std::uint64_t tracepoint(std::string const& name) {
    for (char const* const root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::string const text = sources::line_of(fmt::format("{}/events/{}/id", root, name));
        if (!text.empty()) return std::strtoull(text.c_str(), nullptr, 10);
    }
    return 0;
}

} // namespace

HostCounters HostCounters::probe() {
    HostCounters counters;
    auto add = [&](Event event, char const* hint) {
        if (open_event(0, event.type, event.config, event.user_only))
            counters.events_.push_back(std::move(event));
        else
            counters.missing_.push_back(
                fmt::format("{}: perf_event_open: {}{}", event.name, std::strerror(errno), hint));
    };
    if (std::uint64_t const id = tracepoint("raw_syscalls/sys_enter"); id != 0)
        add({"host.syscalls", PERF_TYPE_TRACEPOINT, id, false}, "; it asks for root");
    else
        counters.missing_.emplace_back(
            "host.syscalls: tracefs does not show raw_syscalls/sys_enter; it asks for root");
    add({"host.page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, true}, "");
    add({"host.instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, true},
        "; a virtual machine often has no such counter");
    return counters;
}

void HostCounters::attach(pid_t pid) {
    for (Event& event : events_)
        event.fd = open_event(pid, event.type, event.config, event.user_only);
}

std::map<std::string, std::uint64_t> HostCounters::read() const {
    std::map<std::string, std::uint64_t> values;
    for (Event const& event : events_) {
        std::uint64_t value = 0;
        if (::read(event.fd.get(), &value, sizeof value) == sizeof value)
            values[event.name] = value;
    }
    return values;
}

} // namespace iso::bench
