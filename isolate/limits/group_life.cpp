// The processes of a control group: stopped, counted, ended.
#include "common/clock.hpp"
#include "isolate/limits/control_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <unistd.h>

namespace iso::jail {

namespace {

constexpr unsigned k_pause_us = 1000; ///< between two looks: version 1 tells nobody when it is done

Result<void> add_processes(GroupBackend& backend, GroupPlace const& place,
                           std::vector<pid_t>& pids) {
    auto const here = backend.processes(place);
    if (!here) return tl::unexpected<Error>(here.error());
    pids.insert(pids.end(), here->begin(), here->end());
    for (std::string const& name : subdirectories(place.directory())) {
        GroupPlace below = place;
        below.name += "/" + name;
        auto const added = add_processes(backend, below, pids);
        // A group that went away meanwhile had nobody in it.
        if (!added && ::access(below.directory().c_str(), F_OK) == 0) return added;
    }
    return {};
}

/// The place whose files stop processes: version 1's freezer, or version 2.
GroupPlace const* freezer(std::vector<GroupPlace> const& places) {
    for (GroupPlace const& place : places)
        if (!place.v2 && place.has("freezer")) return &place;
    for (GroupPlace const& place : places)
        if (place.v2) return &place;
    return nullptr;
}

bool is_frozen(GroupPlace const& place) {
    if (!place.v2)
        return read_file(place.directory() + "/freezer.state", 64).value_or("") == "FROZEN\n";
    return read_file(place.directory() + "/cgroup.events", 256).value_or("").find("frozen 1") !=
           std::string::npos;
}

Result<void> order(GroupPlace const& place, bool freeze) {
    if (place.v2) return write_file(place.directory() + "/cgroup.freeze", freeze ? "1" : "0");
    return write_file(place.directory() + "/freezer.state", freeze ? "FROZEN" : "THAWED");
}

} // namespace

Result<std::vector<pid_t>> ControlGroup::processes() const {
    std::vector<pid_t> pids;
    if (places_.empty()) return pids;
    TRY(add_processes(*backend_, places_.front(), pids));
    std::sort(pids.begin(), pids.end());
    return pids;
}

bool ControlGroup::frozen() const {
    GroupPlace const* const place = freezer(places_);
    return place != nullptr && is_frozen(*place);
}

Result<void> ControlGroup::freeze(std::uint64_t patience_ns) {
    GroupPlace const* const place = freezer(places_);
    if (place == nullptr)
        return error("freeze", "this jail has no group that can be frozen",
                     "a system with the freezer controller, or control groups version 2");
    std::uint64_t const deadline = monotonic_ns() + patience_ns;
    TRY(order(*place, true));
    for (int looks = 1; !is_frozen(*place); ++looks) {
        if (monotonic_ns() >= deadline) {
            (void)order(*place, false);
            return error("freeze", "a process did not stop in time: it waits in the kernel",
                         "again later");
        }
        ::usleep(k_pause_us);
        // A process that was just being made can escape version 1's first order.
        if (!place->v2 && looks % 16 == 0) TRY(order(*place, true));
    }
    return {};
}

Result<void> ControlGroup::thaw(std::uint64_t patience_ns) {
    GroupPlace const* const place = freezer(places_);
    if (place == nullptr)
        return error("thaw", "this jail has no group that can be frozen",
                     "a system with the freezer controller, or control groups version 2");
    std::uint64_t const deadline = monotonic_ns() + patience_ns;
    TRY(order(*place, false));
    while (is_frozen(*place)) {
        if (monotonic_ns() >= deadline)
            return error("thaw", "the group stays frozen: one above it is",
                         "resume what holds this jail's group");
        ::usleep(k_pause_us);
    }
    return {};
}

Result<void> ControlGroup::kill_all(std::uint64_t patience_ns) {
    if (places_.empty()) return {};
    std::uint64_t const deadline = monotonic_ns() + patience_ns;
    for (;;) {
        bool ordered = false;
        for (GroupPlace const& place : places_)
            if (place.v2 && write_file(place.directory() + "/cgroup.kill", "1")) ordered = true;
        auto const pids = processes();
        if (!pids) { // a group that is gone holds nobody
            if (::access(places_.front().directory().c_str(), F_OK) != 0) return {};
            return tl::unexpected<Error>(pids.error());
        }
        if (pids->empty()) return {};
        if (!ordered)
            for (pid_t const pid : *pids)
                ::kill(pid, SIGKILL);
        // Frozen processes of version 1 die when they go on.
        if (GroupPlace const* const place = freezer(places_); place != nullptr && !place->v2)
            (void)order(*place, false);
        if (monotonic_ns() >= deadline)
            return error("kill",
                         fmt::format("{} processes do not end, the first is {}", pids->size(),
                                     pids->front()),
                         "dmesg: they wait in the kernel");
        ::usleep(k_pause_us);
    }
}

} // namespace iso::jail
