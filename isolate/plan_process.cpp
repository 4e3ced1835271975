// Limits, rights and the program: the last part of the plan.
#include "isolate/landlock.hpp"
#include "isolate/planner.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace iso::jail {

void Planner::limit(int resource, std::uint64_t value, char const* why) {
    for (ResourceLimit const& own : spec_.process.rlimits)
        if (own.resource == resource) return; // asked for otherwise
    Step& step = add(Op::set_limit, why);
    step.in = resource;
    step.number = value;
}

void Planner::limits() {
    if (plan_.await_cgroup && !early_groups_) see_own_groups();
    // The kernel counts the tasks of a user namespace; the host's own ids would be counted with
    // everything else that they run.
    if (spec_.limits.tasks && plan_.ids.fresh)
        limit(RLIMIT_NPROC, *spec_.limits.tasks,
              "a fork bomb ends here: the kernel counts the tasks of this user namespace");
    if (spec_.standard_mounts)
        limit(RLIMIT_CORE, 0, "no core file, and no host program to write one");
    if (memory_ == MemoryLimit::address_space || memory_ == MemoryLimit::address_space_in_cgroup)
        limit(RLIMIT_AS, *spec_.limits.memory,
              "--memory, for each process: no memory group may be made here");
    for (ResourceLimit const& asked : spec_.process.rlimits) {
        Step& step = add(Op::set_limits_exactly, "asked for");
        step.in = asked.resource;
        step.number = asked.soft;
        step.extra = asked.hard;
    }
}

void Planner::filter() {
    if (plan_.filter.empty()) return;
    add(Op::filter_calls, "fewer kernel calls, less kernel to attack");
}

Result<void> Planner::landlock() {
    if (!spec_.landlock.wanted()) return {};
    LandlockRights const rights = TRY(landlock_rights());
    Step& begin = add(Op::landlock_begin, "what no rule names is closed, even to its owner");
    begin.number = rights.all;
    begin.out = new_slot();
    int const rules = begin.out;
    auto allow = [&](std::string const& path, std::uint64_t what, char const* why) {
        Step& step = add(Op::landlock_allow, why);
        step.path = path;
        step.number = what;
        step.in = rules;
    };
    for (std::string const& path : spec_.landlock.readable)
        allow(path, rights.reading, "may be read and executed");
    for (std::string const& path : spec_.landlock.writable)
        allow(path, rights.all, "may be written to as well");
    if (spec_.process.from_host)
        allow(plan_.program, rights.reading, "the program itself has to be started");
    add(Op::landlock_enforce, "from here on for this process and all that it starts").in = rules;
    return {};
}

void Planner::privileges() {
    CapabilitySpec const& sets = spec_.process.capabilities;
    bool const none = sets == CapabilitySpec{};
    // Without no_new_privs the kernel takes a filter only from who has CAP_SYS_ADMIN.
    if (!spec_.process.no_new_privileges) filter();
    Step& bounding =
        add(Op::drop_bounding, none ? "no program started inside can gain a capability"
                                    : "no program started inside can gain any other capability");
    bounding.number = sets.bounding;
    bool const other_user = plan_.uid != plan_.ids.setup_uid || plan_.gid != plan_.ids.setup_gid ||
                            !plan_.groups.empty() || !plan_.ids.fresh;
    if (other_user) {
        add(Op::become_user, "who the program is, inside");
        add(Op::die_with_parent, "changing ids cleared it (prctl(2))");
    }
    if (none) {
        add(Op::drop_capabilities,
            "nor has one now: permitted, effective, inheritable, ambient are empty");
    } else {
        add(Op::set_capabilities, "asked for: these and no others");
    }
    if (spec_.process.no_new_privileges)
        add(Op::no_new_privileges, "set-user-id files give nothing, and seccomp(2) asks for it");
    add(Op::not_dumpable, "the set-up process cannot be traced from inside (CVE-2016-9962)");
}

void Planner::program() {
    bool const standard = spec_.seccomp.profile == SeccompSpec::Profile::standard;
    if (spec_.process.no_new_privileges && standard) filter();
    plan_.program_step = plan_.steps.size();
    if (options_.own_init) {
        add(Op::start_program,
            "the program is an ordinary process, not an init: signals act as usual");
        if (!fresh(Namespace::pid))
            add(Op::die_with_parent, "the end of process 1 does not end it in a shared tree");
        add(Op::new_session, "no controlling terminal to type into");
    } else {
        add(Op::start_program, "process 1 becomes the program, as OCI has it");
    }
    add(Op::default_signals,
        "none blocked, none ignored: what the caller ignores is its own affair");
    if (spec_.process.umask) add(Op::set_umask, "asked for").number = *spec_.process.umask;
    add(Op::change_directory, "a working directory inside, never an inherited one (CVE-2024-21626)")
        .path = spec_.process.directory;
    add(Op::close_descriptors, "nothing is inherited but 0, 1 and 2, and what was asked for")
        .number = static_cast<std::uint64_t>(options_.kept_descriptors);
    // A filter of somebody else's may refuse what the set-up still needs: it comes last.
    if (spec_.process.no_new_privileges && !standard) filter();
    if (options_.rehearsal) {
        add(Op::leave, "the jail stands; this was a rehearsal");
    } else {
        add(Op::execute, "the program's first instruction").path = plan_.program;
    }
}

} // namespace iso::jail
