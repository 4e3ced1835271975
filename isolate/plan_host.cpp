// The part of the plan that concerns no file: namespaces, ids, names, clocks.
#include "isolate/planner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <linux/sched.h>
#include <sys/mount.h>

namespace iso::jail {

namespace {

struct NamespaceKind {
    Namespace which;
    std::uint64_t flag;
    char const* name;
};
constexpr NamespaceKind k_kinds[] = {
    {Namespace::user, CLONE_NEWUSER, "user"},       {Namespace::mount, CLONE_NEWNS, "mount"},
    {Namespace::pid, CLONE_NEWPID, "pid"},          {Namespace::network, CLONE_NEWNET, "network"},
    {Namespace::ipc, CLONE_NEWIPC, "ipc"},          {Namespace::uts, CLONE_NEWUTS, "uts"},
    {Namespace::cgroup, CLONE_NEWCGROUP, "cgroup"}, {Namespace::time, CLONE_NEWTIME, "time"}};

/// The user namespace goes last for root, whose rights over the others come from outside of it, and
/// first for everybody else, who gets rights over the others only in it.
std::vector<NamespaceKind> in_joining_order(JailSpec const& spec, bool is_root) {
    std::vector<NamespaceKind> result;
    for (NamespaceKind const& kind : k_kinds)
        if (spec.at(kind.which).from == NamespaceChoice::From::path) result.push_back(kind);
    if (is_root)
        std::stable_partition(result.begin(), result.end(),
                              [](auto const& kind) { return kind.which != Namespace::user; });
    return result;
}

std::string offset_line(char const* clock, std::optional<TimeOffset> const& offset) {
    if (!offset) return {};
    return fmt::format("{} {} {}\n", clock, offset->seconds, offset->nanoseconds);
}

/// "net.ipv4.ip_forward" to the file in /proc/sys, if it is one that belongs to a namespace.
Result<std::string> sysctl_path(std::string const& name, bool own_network, bool own_ipc) {
    std::string const shown = "sysctl " + name;
    std::string path = "/proc/sys/";
    bool empty_part = true;
    for (char const c : name) {
        if (c == '.' && empty_part) return error(shown, "it has an empty part");
        empty_part = c == '.';
        // As sysctl(8): the two change places, so that an interface's name may hold a dot.
        path += c == '.' ? '/' : c == '/' ? '.' : c;
    }
    if (empty_part || path.find("/..") != std::string::npos || name.find('\0') != name.npos)
        return error(shown, "it is no name of a setting", "a name like net.ipv4.ip_forward");
    bool const of_network = name.starts_with("net.");
    bool const of_ipc = name.starts_with("kernel.shm") || name.starts_with("kernel.msg") ||
                        name == "kernel.sem" || name.starts_with("fs.mqueue.");
    if (!of_network && !of_ipc)
        return error(shown, "it belongs to no namespace: it would change the whole machine",
                     "net.*, kernel.shm*, kernel.msg*, kernel.sem or fs.mqueue.*");
    if (of_network ? !own_network : !own_ipc)
        return error(shown, "the namespace that it belongs to is the host's",
                     of_network ? "a network of the jail's own" : "--namespace ipc=fresh");
    return path;
}

} // namespace

Result<void> Planner::choose_namespaces() {
    for (NamespaceKind const& kind : k_kinds)
        if (fresh(kind.which)) plan_.clone_flags |= kind.flag;
    if (!own_network()) plan_.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
    if (spec_.monotonic || spec_.boottime) {
        if (!fresh(Namespace::time))
            return error("time offsets", "they need a time namespace of the jail's own",
                         "--namespace time=fresh");
        plan_.clone_flags &= ~std::uint64_t{CLONE_NEWTIME}; // offsets come before who lives there
    }
    // A namespace of groups shows as its root the group in which its maker was.
    if (plan_.await_cgroup) plan_.clone_flags &= ~std::uint64_t{CLONE_NEWCGROUP};
    bool const own_tree = fresh(Namespace::mount);
    if (own_tree) {
        bool const is_bound = spec_.root.source == RootSpec::Source::directory &&
                              spec_.root.mode == RootSpec::Mode::read_only && spec_.standard_mounts;
        root_ = is_bound || spec_.root.source == RootSpec::Source::empty ? Root::own : Root::given;
        return {};
    }
    root_ = Root::kept;
    // An empty list, as --like has it, asks for nothing.
    auto const any = [](auto const& paths) { return paths && !paths->empty(); };
    if (!spec_.mounts.empty() || !spec_.devices.empty() || any(spec_.masked) ||
        any(spec_.read_only_paths))
        return error("--namespace mount",
                     "without a mount namespace of its own a jail can have no "
                     "mounts, devices or masked paths",
                     "--namespace mount=fresh");
    if (spec_.root.source != RootSpec::Source::empty &&
        (spec_.root.source != RootSpec::Source::directory ||
         spec_.root.mode != RootSpec::Mode::writable))
        return error("--namespace mount",
                     "without a mount namespace of its own a jail's root is a directory as it is",
                     "--root DIR --root-mode writable, or --namespace mount=fresh");
    return {};
}

void Planner::open_namespaces() {
    for (NamespaceKind const& kind : in_joining_order(spec_, plan_.ids.may_mount)) {
        Step& step = add(Op::open_namespace, "the namespace to be joined");
        step.path = spec_.at(kind.which).path;
        step.text = kind.name;
        step.out = new_slot();
        namespace_slots_.push_back(step.out);
    }
}

void Planner::join_namespaces() {
    std::size_t next = 0;
    for (NamespaceKind const& kind : in_joining_order(spec_, plan_.ids.may_mount)) {
        Step& step = add(Op::join_namespace, "asked for: it is shared with whoever is in it");
        step.path = spec_.at(kind.which).path;
        step.text = kind.name;
        step.number = kind.flag;
        step.in = namespace_slots_[next++];
    }
}

void Planner::identity() {
    add(Op::die_with_parent, "nothing inside may outlive isolate, however that ends");
    if (!plan_.ids.fresh || plan_.ids.by_parent) return;
    auto map = [&](char const* file, std::string text, char const* why) {
        Step& step = add(Op::write_file, why);
        step.path = file;
        step.text = std::move(text);
    };
    map("/proc/self/setgroups", "deny",
        "the kernel asks for it before an ordinary user may map a group");
    map("/proc/self/uid_map", fmt::format("{} {} 1", spec_.process.uid, plan_.ids.host_uid),
        "one id inside is you outside, and no other exists");
    map("/proc/self/gid_map", fmt::format("{} {} 1", spec_.process.gid, plan_.ids.host_gid),
        "the same for the group");
}

void Planner::surroundings() {
    if (own_network() && spec_.network.mode != NetworkSpec::Mode::none)
        add(Op::loopback_up, "a new network namespace has only lo, and that is down");
    if (fresh(Namespace::uts)) {
        if (!spec_.hostname.empty())
            add(Op::set_hostname, "its own name, in its own UTS namespace").text = spec_.hostname;
        if (!spec_.domainname.empty())
            add(Op::set_domainname, "the domain's name, in the same namespace").text =
                spec_.domainname;
    }
    if (spec_.process.oom_score_adjust) {
        Step& step = add(Op::write_file, "asked for: how readily the kernel ends the program when "
                                         "memory is short");
        step.path = "/proc/self/oom_score_adj";
        step.text = std::to_string(*spec_.process.oom_score_adjust);
    }
    if (root_ == Root::kept) return;
    bool hears_host = (propagation_flags(spec_.root.propagation) & (MS_SLAVE | MS_SHARED)) != 0;
    for (MountSpec const& mount : spec_.mounts)
        for (std::string const& option : mount.options)
            hears_host = hears_host || option == "slave" || option == "rslave" ||
                         option == "shared" || option == "rshared";
    Step& step =
        add(Op::move_mounts_to_us,
            hears_host ? "what is mounted on the host later may show here, never the other way"
                       : "no mount made here may show on the host, nor the other way round");
    step.number = MS_REC | (hears_host ? MS_SLAVE : MS_PRIVATE);
}

void Planner::clocks() {
    std::string const text =
        offset_line("monotonic", spec_.monotonic) + offset_line("boottime", spec_.boottime);
    if (text.empty()) return;
    add(Op::offset_clocks, "clocks of its own: how long the machine has run is not told").text =
        text;
}

void Planner::become_root() {
    if (plan_.ids.by_parent)
        add(Op::await_parent,
            "isolate writes the id maps meanwhile: only host root may map an id of nobody");
    add(Op::become_root_inside, "who sets up the jail is an id that nobody has outside");
    add(Op::die_with_parent, "changing ids cleared it (prctl(2))");
}

Result<void> Planner::settings() {
    for (auto const& [name, value] : spec_.sysctl) {
        std::string path = TRY(sysctl_path(name, own(Namespace::network), own(Namespace::ipc)));
        Step& step = add(Op::write_file, "a kernel setting of the jail's own namespace");
        step.path = std::move(path);
        step.text = value;
    }
    return {};
}

void Planner::see_own_groups() {
    add(Op::await_parent, "isolate puts this process into its groups meanwhile");
    if (fresh(Namespace::cgroup))
        add(Op::new_cgroup_view, "from inside, its own group is the root of all");
}

} // namespace iso::jail
