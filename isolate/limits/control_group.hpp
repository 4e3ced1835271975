#pragma once

#include "common/fd.hpp"
#include "isolate/limits/backend.hpp"
#include "isolate/limits/hierarchy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::jail {

/// How a jail's control group is made.
struct GroupOptions {
    /// As OCI's linux.cgroupsPath: "/a/b" from the top, "a/b" below the caller's own group, or
    /// "slice:prefix:name" as systemd names it. Empty: isolate.PID-RANDOM below the caller's own.
    std::string path;
    GroupBackendKind backend = k_usual_group_backend;
    /// In every hierarchy, limits or not: a jail that can be paused, counted and listed.
    bool every_controller = false;
    /// A process of its own removes the group should this one be killed. Without it the group must
    /// be recorded (record()) before anything else happens.
    bool guarded = true;
};

/// A limit that control groups do not enforce here.
struct Unenforced {
    std::string what;    ///< "CPU quota"
    std::string why;     ///< "no cpu controller", "may not make a group in /sys/fs/cgroup/cpu"
    std::string hint;    ///< what would help
    std::string instead; ///< what takes its place: "RLIMIT_AS, for each process"; empty: nothing
    bool same = false;   ///< what takes its place is as strong
};

/// What will be made and written, decided before anything is.
struct GroupPlan {
    std::vector<GroupPlace> places;
    std::vector<PlacedSetting> settings;
    std::vector<DeviceRule> device_program; ///< version 2's device rules
    std::vector<Unenforced> unenforced;
    std::vector<ResourceLimit> rlimits; ///< what enforces instead, as far as it can
    std::string hierarchies;            ///< "hybrid (...)", for people

    [[nodiscard]] bool needs_group() const { return !places.empty(); }
    /// "memory.limit_in_bytes = 67108864 in /sys/fs/cgroup/memory/isolate.1-2": a line each.
    [[nodiscard]] std::vector<std::string> lines() const;
};

/// Decides by what this machine has and this caller may. Errors: a path or a value that can be
/// meant by nobody; with limits.required, any limit that is not enforced.
Result<GroupPlan> plan_group(LimitSpec const& limits, GroupOptions const& options);
Result<GroupPlan> plan_group(LimitSpec const& limits, GroupOptions const& options,
                             Hierarchies const& hierarchies);

/// A line for a person about a limit that is not enforced.
std::string to_string(Unenforced const& limit);

struct GroupStatistics;

/// Owns the control group of a jail: one directory in each hierarchy that it needs. Removed at the
/// end unless kept; should this process be killed, a guardian process removes it.
class [[nodiscard]] ControlGroup {
public:
    ControlGroup();
    ControlGroup(ControlGroup&&) noexcept;
    ControlGroup& operator=(ControlGroup&&) noexcept;
    ~ControlGroup();

    /// Makes the group of a plan. Limits that turn out to be missing in this kernel are added to
    /// plan.unenforced (an error when `required`).
    static Result<ControlGroup> create(GroupPlan& plan, GroupOptions const& options, bool required);

    /// A group that another process made, by what record() said there. It is not removed at the
    /// end.
    static Result<ControlGroup> open(std::string const& record,
                                     GroupBackendKind backend = GroupBackendKind::direct);
    /// One line for each place, for a file: "1 /sys/fs/cgroup/memory /isolate.7-1 memory".
    [[nodiscard]] std::string record() const;

    /// A descriptor for CLONE_INTO_CGROUP (clone(2)), or -1: version 1 has no such thing.
    [[nodiscard]] int clone_descriptor() const { return clone_fd_.get(); }
    /// Whether there are places that a process has to be moved into by attach().
    [[nodiscard]] bool needs_attach() const;
    /// Moves a process in, where clone_descriptor() did not put it. On version 1 the kernel waits
    /// for an RCU grace period (milliseconds): let something else go on meanwhile.
    Result<void> attach(pid_t pid);
    /// Moves a process into every place: one that was not cloned into the group.
    Result<void> enter(pid_t pid);

    /// Changes limits while the jail runs; what `limits` leaves empty stays. All or nothing.
    /// Errors: a controller that the group was not made in; EBUSY when memory in use exceeds the
    /// new limit and cannot be reclaimed.
    Result<void> change(LimitSpec const& limits);

    /// Stops every process in it, and returns when all have stopped. Errors: no freezer here; not
    /// frozen within `patience_ns` (then it goes on running).
    Result<void> freeze(std::uint64_t patience_ns = 10'000'000'000);
    Result<void> thaw(std::uint64_t patience_ns = 10'000'000'000);
    [[nodiscard]] bool frozen() const;

    /// SIGKILL to every process in it and below, until none is left.
    Result<void> kill_all(std::uint64_t patience_ns = 10'000'000'000);
    /// Every process in it and in groups below it, sorted.
    [[nodiscard]] Result<std::vector<pid_t>> processes() const;
    [[nodiscard]] GroupStatistics statistics() const;

    /// Removes the group; waits a little for processes that are just ending. Removing twice is no
    /// error. Errors: EBUSY when processes stay in it.
    Result<void> remove();
    /// From now on the group stays when this object goes: it is somebody else's to remove.
    void keep();

    [[nodiscard]] bool valid() const { return !places_.empty(); }
    [[nodiscard]] std::vector<GroupPlace> const& places() const { return places_; }
    /// The place that has a controller ("blkio" for io too), or nullptr.
    [[nodiscard]] GroupPlace const* place(std::string const& controller) const;
    /// A number in a file, 0 when there is none; "max" is k_unlimited.
    [[nodiscard]] std::uint64_t number(std::string const& controller,
                                       std::string const& file) const;
    [[nodiscard]] std::string text(std::string const& controller, std::string const& file) const;
    [[nodiscard]] GroupBackendKind backend() const { return kind_; }
    /// "memory /isolate.7-1, pids /isolate.7-1": for reports.
    [[nodiscard]] std::string name() const;

private:
    Result<void> start_guardian();
    void end_guardian(char order);
    Result<void> make(GroupPlan& plan, bool required);
    /// Version 2: gives back what a lower limit has no room for. Errors: EBUSY.
    Result<void> make_room(std::uint64_t memory);

    GroupBackendKind kind_ = GroupBackendKind::direct;
    std::unique_ptr<GroupBackend> backend_;
    std::vector<GroupPlace> places_;
    std::vector<std::string> made_above_; ///< directories above that were not there before
    Fd clone_fd_;
    bool owned_ = false;
    pid_t guardian_ = -1;
    Fd guardian_pipe_; ///< closed by our death, however that comes
};

} // namespace iso::jail
