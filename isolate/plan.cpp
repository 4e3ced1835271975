#include "isolate/plan.hpp"

#include "common/program.hpp"
#include "isolate/plan_check.hpp"
#include "isolate/planner.hpp"
#include "isolate/seccomp_json.hpp"
#include "isolate/seccomp_profile.hpp"

#include <algorithm>
#include <string_view>

namespace iso::jail {

Result<void> Planner::write() {
    TRY(choose_namespaces());
    TRY(check_paths());
    bool const by_parent = plan_.ids.may_mount && root_ != Root::kept;
    // Host root may have what nobody else reaches: it takes the files itself, before the child has
    // become an id of nobody. An ordinary user's child is still that user.
    if (by_parent) TRY(sources());
    open_namespaces();
    plan_.parent_steps = plan_.steps.size();
    join_namespaces();
    plan_.door_steps = plan_.steps.size();
    identity();
    clocks();
    surroundings();
    if (root_ != Root::kept) {
        if (!by_parent) TRY(sources());
        devices();
        layers();
    }
    if (plan_.ids.by_parent || spec_.at(Namespace::user).from == NamespaceChoice::From::path)
        become_root();
    TRY(settings());
    // A container's hooks may look for its groups.
    early_groups_ = plan_.await_cgroup &&
                    (!options_.own_init || std::any_of(spec_.mounts.begin(), spec_.mounts.end(),
                                                       [](MountSpec const& mount) {
                                                           return mount.type.starts_with("cgroup");
                                                       }));
    if (early_groups_) see_own_groups();
    if (root_ != Root::kept) {
        filesystems();
        TRY(spec_filesystems());
    }
    cross_over();
    furnish();
    limits();
    add(Op::new_keyring, "keys of the caller's session cannot be asked for").may_be_missing = true;
    privileges();
    TRY(landlock());
    program();
    if (plan_.steps.size() > k_max_steps || plan_.slots > static_cast<int>(k_max_slots))
        return error("--add", "too many paths for one jail", "one directory instead of many files");
    return {};
}

Result<void> Planner::write_exec() {
    limits();
    privileges();
    TRY(landlock());
    program();
    return {};
}

namespace {

constexpr std::string_view k_usual_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where execvp(3) would look for a program of the root's own.
std::vector<std::string> candidates(std::string const& name,
                                    std::vector<std::string> const& environment) {
    if (name.find('/') != name.npos) return {name};
    std::string_view path = k_usual_path;
    for (std::string const& variable : environment)
        if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
    std::vector<std::string> result;
    for (std::size_t at = 0; at <= path.size();) {
        std::size_t const end = std::min(path.find(':', at), path.size());
        std::string directory(path.substr(at, end - at));
        result.push_back(directory.empty() ? name : std::move(directory) + "/" + name);
        at = end + 1;
    }
    return result;
}

Result<void> choose_filter(JailPlan& plan, JailSpec const& spec) {
    switch (spec.seccomp.profile) {
    case SeccompSpec::Profile::standard:
        plan.filter = default_filter();
        return {};
    case SeccompSpec::Profile::none:
        return {};
    case SeccompSpec::Profile::file:
    case SeccompSpec::Profile::text: {
        CompiledProfile profile =
            TRY(compile_profile(spec.seccomp, spec.process.capabilities.bounding));
        plan.own_filter = std::move(profile.program);
        plan.filter_flags = profile.flags;
        plan.filter = plan.own_filter;
        return {};
    }
    }
    return {};
}

void write_words(JailPlan& plan, ProcessSpec const& process) {
    plan.words = process.arguments;
    plan.words.insert(plan.words.end(), process.environment.begin(), process.environment.end());
    for (std::size_t i = 0; i < plan.words.size(); ++i)
        (i < process.arguments.size() ? plan.argv : plan.envp).push_back(plan.words[i].data());
    plan.argv.push_back(nullptr);
    plan.envp.push_back(nullptr);
}

/// Who the program is, its words and its filter.
Result<void> fill_plan(JailPlan& plan, JailOptions const& options) {
    JailSpec const& spec = options.spec;
    TRY(choose_filter(plan, spec));
    plan.capabilities = spec.process.capabilities;
    plan.uid = spec.process.uid;
    plan.gid = spec.process.gid;
    plan.groups = spec.process.groups;
    plan.own_init = options.own_init;
    plan.program_fd = options.program;
    write_words(plan, spec.process);
    return {};
}

} // namespace

Result<JailPlan> make_plan(JailOptions const& options, IdMap const& ids, MemoryLimit memory) {
    if (!options.run.disk.empty())
        return error("--disk", "a jail shares the host's kernel: it has no disk of its own",
                     "vmm-mini or paravirt-demo; here /tmp can be written to");
    if (options.own_init && !options.spec.hooks.empty())
        return error("--hook", "only containers have hooks (isolate create --bundle)",
                     "a jail without it");
    JailPlan plan;
    JailSpec const& spec = options.spec;
    plan.ids = ids;
    TRY(check_spec(spec, ids, !spec.process.from_host && options.program < 0));
    if (spec.process.from_host) {
        plan.program = TRY(find_program(spec.process.arguments.front()));
        TRY(check_program(plan, spec));
    } else {
        plan.program = spec.process.arguments.front();
        plan.candidates = candidates(plan.program, spec.process.environment);
    }
    TRY(fill_plan(plan, options));
    plan.await_cgroup =
        memory == MemoryLimit::cgroup || memory == MemoryLimit::address_space_in_cgroup;
    plan.steps.reserve(160);
    TRY(Planner(plan, options, memory).write());
    return plan;
}

Result<JailPlan> make_exec_plan(JailOptions const& options, IdMap const& ids, MemoryLimit memory) {
    JailPlan plan;
    plan.ids = ids;
    TRY(check_process(options.spec, ids));
    plan.program = options.spec.process.arguments.front();
    plan.candidates = candidates(plan.program, options.spec.process.environment);
    TRY(fill_plan(plan, options));
    TRY(Planner(plan, options, memory).write_exec());
    return plan;
}

} // namespace iso::jail
