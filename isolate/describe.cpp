#include "isolate/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::jail {

namespace {

char const* limit_name(int resource) {
    switch (resource) {
    case RLIMIT_NPROC:
        return "RLIMIT_NPROC";
    case RLIMIT_CORE:
        return "RLIMIT_CORE";
    case RLIMIT_AS:
        return "RLIMIT_AS";
    case RLIMIT_NOFILE:
        return "RLIMIT_NOFILE";
    case RLIMIT_STACK:
        return "RLIMIT_STACK";
    case RLIMIT_DATA:
        return "RLIMIT_DATA";
    case RLIMIT_FSIZE:
        return "RLIMIT_FSIZE";
    case RLIMIT_CPU:
        return "RLIMIT_CPU";
    case RLIMIT_MEMLOCK:
        return "RLIMIT_MEMLOCK";
    default:
        return nullptr;
    }
}

std::string limit_text(Step const& step) {
    char const* const name = limit_name(step.in);
    return name != nullptr ? name : fmt::format("resource {}", step.in);
}

struct FlagName {
    std::uint64_t flag;
    char const* name;
};

/// "RDONLY|NOSUID", or `otherwise` when no flag is set.
template <std::size_t n>
std::string flag_text(FlagName const (&names)[n], std::uint64_t flags, char const* otherwise) {
    std::string text;
    for (auto const& [flag, name] : names)
        if ((flags & flag) != 0) text += (text.empty() ? "" : "|") + std::string(name);
    return text.empty() ? otherwise : text;
}

constexpr FlagName k_attribute_names[] = {
    {MOUNT_ATTR_RDONLY, "RDONLY"},        {MOUNT_ATTR_NOSUID, "NOSUID"},
    {MOUNT_ATTR_NODEV, "NODEV"},          {MOUNT_ATTR_NOEXEC, "NOEXEC"},
    {MOUNT_ATTR_NOATIME, "NOATIME"},      {MOUNT_ATTR_STRICTATIME, "STRICTATIME"},
    {MOUNT_ATTR_NODIRATIME, "NODIRATIME"}};
constexpr FlagName k_propagation_names[] = {{MS_REC, "MS_REC"},
                                            {MS_PRIVATE, "MS_PRIVATE"},
                                            {MS_SLAVE, "MS_SLAVE"},
                                            {MS_SHARED, "MS_SHARED"},
                                            {MS_UNBINDABLE, "MS_UNBINDABLE"}};
constexpr FlagName k_namespace_names[] = {
    {CLONE_NEWUSER, "NEWUSER"},     {CLONE_NEWNS, "NEWNS"},    {CLONE_NEWPID, "NEWPID"},
    {CLONE_NEWNET, "NEWNET"},       {CLONE_NEWIPC, "NEWIPC"},  {CLONE_NEWUTS, "NEWUTS"},
    {CLONE_NEWCGROUP, "NEWCGROUP"}, {CLONE_NEWTIME, "NEWTIME"}};

std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ',');
    return text;
}

} // namespace

std::string describe_namespaces(std::uint64_t clone_flags) {
    std::string const names = flag_text(k_namespace_names, clone_flags, "");
    return names.empty() ? "no new namespace" : "CLONE_" + names;
}

std::string describe(Step const& step) {
    switch (step.op) {
    case Op::die_with_parent:
        return "prctl(PR_SET_PDEATHSIG, SIGKILL)";
    case Op::write_file:
        return fmt::format("write({}, \"{}\")", step.path, one_line(step.text));
    case Op::loopback_up:
        return "ioctl(SIOCSIFFLAGS, lo, IFF_UP)";
    case Op::set_hostname:
        return fmt::format("sethostname({})", step.text);
    case Op::set_domainname:
        return fmt::format("setdomainname({})", step.text);
    case Op::open_namespace:
        return fmt::format("open({})", step.path);
    case Op::join_namespace:
        return fmt::format("setns({}, {})", step.path, step.text);
    case Op::offset_clocks:
        return fmt::format("unshare(CLONE_NEWTIME), write(timens_offsets, \"{}\"), setns",
                           one_line(step.text));
    case Op::new_cgroup_view:
        return "unshare(CLONE_NEWCGROUP)";
    case Op::new_keyring:
        return "keyctl(KEYCTL_JOIN_SESSION_KEYRING)";
    case Op::move_mounts_to_us:
    case Op::set_propagation:
        return fmt::format("mount(/, {})", flag_text(k_propagation_names, step.number, "0"));
    case Op::open_layer:
        return fmt::format("open({}, O_PATH)", step.path);
    case Op::cover_root:
        return "move_mount(layer, /)";
    case Op::uncover_root:
        return "umount2(layer, MNT_DETACH)";
    case Op::make_layers:
        return fmt::format("mkdir({}/upper), mkdir({}/work)", step.path, step.path);
    case Op::new_overlay:
        return fmt::format("fsmount(overlay: lowerdir={},upperdir,workdir{}{})", step.path,
                           step.text.empty() ? "" : ",", step.text);
    case Op::forget_host:
        return "close(each descriptor used so far)";
    case Op::change_root:
        return fmt::format("chroot({}), chdir(/)", step.path);
    case Op::take_tree:
        return fmt::format("open_tree({}{}{}, OPEN_TREE_CLONE)", step.text,
                           step.text.empty() || step.text == "/" ? "" : "/", step.path);
    case Op::require_device:
        return fmt::format("fstat({})", step.path);
    case Op::new_filesystem:
        return fmt::format("fsmount({}{}{})", step.path, step.text.empty() ? "" : ": ", step.text);
    case Op::restrict_mount:
        return fmt::format("mount_setattr({}, {})", step.path,
                           step.number != 0
                               ? flag_text(k_attribute_names, step.number, "?")
                               : flag_text(k_propagation_names, step.extra, "MS_PRIVATE"));
    case Op::await_parent:
        return "read(pipe from isolate)";
    case Op::become_root_inside:
        return "setgroups(0), setresgid(0, 0, 0), setresuid(0, 0, 0)";
    case Op::become_user:
        return "setgroups, setresgid, setresuid: the program's user";
    case Op::enter_root:
        return "move_mount(new root, /), fchdir(new root)";
    case Op::switch_root:
        return "pivot_root(., .)";
    case Op::detach_host:
        return "umount2(., MNT_DETACH), chdir(/), stat(/..)";
    case Op::make_directory:
        return fmt::format("mkdir({}, {:04o})", step.path, step.number);
    case Op::place_directory:
        return fmt::format("openat2({}, RESOLVE_NO_MAGICLINKS), mkdirat", step.path);
    case Op::place_file:
        return fmt::format("openat2({}, RESOLVE_NO_MAGICLINKS), openat(O_CREAT)", step.path);
    case Op::place_link:
        return fmt::format("symlinkat({}, {})", step.text, step.path);
    case Op::place_node:
        return fmt::format("mknodat({}, {:o}, {}:{})", step.path, step.number, major(step.extra),
                           minor(step.extra));
    case Op::cover_read_only:
        return fmt::format("open_tree({}), mount_setattr(RDONLY), move_mount", step.path);
    case Op::make_file:
        return fmt::format("open({}, O_CREAT)", step.path);
    case Op::make_link:
        return fmt::format("symlink({}, {})", step.text, step.path);
    case Op::copy_up:
        return fmt::format("copy({}, what will cover it)", step.path);
    case Op::attach:
    case Op::attach_inside:
        return fmt::format("move_mount({})", step.path);
    case Op::mask:
        return fmt::format("move_mount({}, nothing)", step.path);
    case Op::make_read_only:
        return fmt::format("mount_setattr({}, RDONLY)", step.path);
    case Op::set_limit:
        return fmt::format("setrlimit({}, {})", limit_text(step), step.number);
    case Op::set_limits_exactly:
        return fmt::format("setrlimit({}, {}, {})", limit_text(step), step.number, step.extra);
    case Op::drop_bounding:
        return step.number == 0 ? "prctl(PR_CAPBSET_DROP) for each capability"
                                : "prctl(PR_CAPBSET_DROP) for each other capability";
    case Op::set_capabilities:
        return "prctl(PR_CAP_AMBIENT), capset";
    case Op::drop_capabilities:
        return "prctl(PR_SET_SECUREBITS), prctl(PR_CAP_AMBIENT_CLEAR_ALL), capset(none)";
    case Op::no_new_privileges:
        return "prctl(PR_SET_NO_NEW_PRIVS)";
    case Op::not_dumpable:
        return "prctl(PR_SET_DUMPABLE, 0)";
    case Op::outlive_parent:
        return "prctl(PR_SET_PDEATHSIG, 0)";
    case Op::own_streams:
        return "fchown(0), fchown(1), fchown(2)";
    case Op::find_program:
        return fmt::format("openat2({}, O_PATH)", step.text);
    case Op::tell_parent:
        return "write(pipe to isolate)";
    case Op::await_start:
        return "accept(start)";
    case Op::open_terminal:
        return step.number != 0 ? "open(/dev/pts/ptmx), move_mount(/dev/console)"
                                : "open(/dev/pts/ptmx)";
    case Op::take_terminal:
        return "ioctl(TIOCSCTTY)";
    case Op::filter_calls:
        return "seccomp(SECCOMP_SET_MODE_FILTER)";
    case Op::landlock_begin:
        return "landlock_create_ruleset";
    case Op::landlock_allow:
        return fmt::format("landlock_add_rule({})", step.path);
    case Op::landlock_enforce:
        return "landlock_restrict_self";
    case Op::set_umask:
        return fmt::format("umask({:04o})", step.number);
    case Op::start_program:
        return "clone(CLONE_VM|CLONE_VFORK)";
    case Op::new_session:
        return "setsid()";
    case Op::default_signals:
        return "sigaction(each, SIG_DFL), sigprocmask(none)";
    case Op::change_directory:
        return fmt::format("openat2({}, RESOLVE_NO_MAGICLINKS), fchdir", step.path);
    case Op::close_descriptors:
        return fmt::format("close_range({}, ~0, CLOSE_RANGE_CLOEXEC)", 3 + step.number);
    case Op::execute:
        return fmt::format("execve({})", step.path);
    case Op::leave:
        return "_exit(0)";
    }
    return "?";
}

} // namespace iso::jail
