#include "isolate/limits/jail_limits.hpp"

#include "common/clock.hpp"
#include "isolate/limits/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sys/resource.h>

namespace iso::jail {

namespace {

/// The limits that a group is needed for. The kernel counts the tasks of a user namespace of its
/// own for RLIMIT_NPROC, which is as strong as the pids controller and costs nothing: without a
/// group that is to be counted and listed too, it does.
LimitSpec for_a_group(JailSpec const& spec, GroupOptions const& options) {
    LimitSpec limits = spec.limits;
    bool const own_ids = spec.at(Namespace::user).from == NamespaceChoice::From::fresh;
    if (own_ids && !options.every_controller && options.path.empty()) limits.tasks.reset();
    return limits;
}

} // namespace

Result<void> JailLimits::prepare(JailSpec const& spec, GroupOptions options) {
    options.path = spec.cgroup_path;
    LimitSpec const limits = for_a_group(spec, options);
    if (!limits.any() && !options.every_controller) return {};
    std::uint64_t const start = monotonic_ns();
    GroupPlan plan = TRY(plan_group(limits, options));
    std::vector<std::string> const lines = plan.lines();
    if (plan.needs_group()) group_ = TRY(ControlGroup::create(plan, options, limits.required));
    make_ns_ = monotonic_ns() - start;

    for (Unenforced const& limit : plan.unenforced)
        if (!limit.same) warnings_.push_back(to_string(limit));
    for (ResourceLimit const& limit : plan.rlimits)
        if (limit.resource == RLIMIT_AS) address_space_ = true;
    if (limits.memory) {
        auto const memory = std::find_if(plan.unenforced.begin(), plan.unenforced.end(),
                                         [](auto const& limit) { return limit.what == "memory"; });
        memory_text_ = memory != plan.unenforced.end()
                           ? fmt::format("{} ({})", memory->instead, memory->why)
                           : "cgroup " + group_.place("memory")->name.substr(1);
    }
    if (!joins()) return {};
    explained_.push_back(fmt::format("control groups here: {}; made by the backend {} in {:.1f} us",
                                     plan.hierarchies, to_string(options.backend),
                                     static_cast<double>(make_ns_) / 1000));
    explained_.insert(explained_.end(), lines.begin(), lines.end());
    return {};
}

Result<void> JailLimits::join(pid_t pid, bool born_inside) {
    std::uint64_t const start = monotonic_ns();
    if (!born_inside) {
        TRY(group_.enter(pid));
    } else if (group_.needs_attach()) {
        TRY(group_.attach(pid));
    }
    join_ns_ = monotonic_ns() - start;
    explained_.push_back(
        fmt::format("joined in {:.1f} us, while process 1 went on with its own part",
                    static_cast<double>(join_ns_) / 1000));
    return {};
}

void JailLimits::tell(RunReport& report) const {
    if (!memory_text_.empty()) report.facts["memory.limit"] = memory_text_;
    if (!joins()) return;
    report.facts["cgroup"] = group_.name();
    report.facts["cgroup.backend"] = to_string(group_.backend());
    report.counters["cgroup.make_ns"] = make_ns_;
    report.counters["cgroup.join_ns"] = join_ns_;
    GroupStatistics const seen = group_.statistics();
    auto count = [&](char const* name, std::optional<std::uint64_t> const& value) {
        if (value) report.counters[name] = *value;
    };
    count("host.memory_peak_bytes", seen.memory.peak);
    count("host.memory_refusals", seen.memory.failures);
    count("cgroup.oom_kills", seen.oom_kills);
    count("cgroup.tasks_peak", seen.tasks_peak);
    count("cgroup.tasks_refused", seen.tasks_refused);
    count("cgroup.cpu_throttled", seen.cpu_throttled);
}

} // namespace iso::jail
