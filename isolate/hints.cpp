#include "isolate/hints.hpp"

#include "common/fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace iso::jail {

namespace {

/// The value of a sysctl, or -1 when this kernel does not have it.
long sysctl_value(char const* path) {
    auto const text = read_file(path, 64);
    return text ? std::strtol(text->c_str(), nullptr, 10) : -1;
}

bool user_namespaces_restricted_by_apparmor() {
    return sysctl_value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1;
}

constexpr char const* k_apparmor =
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile that "
    "allows userns for isolate (Ubuntu 23.10 and later restrict it)";

std::string hint_for(JailPlan const& plan, Step const& step, int code) {
    switch (step.op) {
    case Op::write_file:
        if (code == EPERM || code == EACCES)
            return user_namespaces_restricted_by_apparmor()
                       ? k_apparmor
                       : "outside of a container that forbids user namespaces";
        break;
    case Op::loopback_up:
    case Op::move_mounts_to_us:
        if ((code == EPERM || code == EACCES) && user_namespaces_restricted_by_apparmor())
            return k_apparmor;
        break;
    case Op::new_filesystem:
        if (code == EPERM && (step.path == "proc" || step.path == "sysfs"))
            return "where /" + std::string(step.path == "proc" ? "proc" : "sys") +
                   " is whole: the kernel gives no new one to whoever sees only part of it "
                   "(\"mount too revealing\"), as in a container that masks it";
        if (code == ENODEV) return fmt::format("a kernel with the file system {}", step.path);
        break;
    case Op::join_namespace:
        if (code == EPERM) return "root, or a namespace that is yours";
        if (code == EINVAL)
            return "the file of a namespace of this kind (" + step.text +
                   "), like /proc/PID/ns/...";
        break;
    case Op::offset_clocks:
        if (code == ERANGE) return "offsets by which no clock goes below 0";
        break;
    case Op::new_overlay:
        if (code == ENODEV) return "a kernel with overlayfs";
        if (code == EINVAL)
            return "--root-upper on a file system that overlayfs takes (no overlay itself, no 9p, "
                   "no vfat)";
        break;
    case Op::open_layer:
    case Op::make_layers:
        if (code == EACCES || code == EPERM)
            return "a directory that you own, or that others may search";
        break;
    case Op::attach:
    case Op::attach_inside:
    case Op::place_directory:
    case Op::place_file:
        if (code == ELOOP && step.op == Op::attach)
            return "a root in which " + step.path + " is a directory, no symbolic link";
        if (code == ELOOP)
            return "a root in which " + step.path +
                   " is no symbolic link that leads nowhere or "
                   "into /proc";
        if (code == EOVERFLOW)
            return "--namespace user=host: it lies in a directory whose owner does not exist "
                   "inside";
        if (code == EROFS || code == EACCES)
            return "a root that has " + step.path + ", or --root-mode overlay";
        break;
    case Op::place_node:
        if (code == EPERM) return "a device that the host has at this path";
        break;
    case Op::set_limits_exactly:
        if (code == EPERM)
            return "a limit that is no higher than yours: raising it needs CAP_SYS_RESOURCE";
        break;
    case Op::new_keyring:
        if (code == EDQUOT) return "a higher kernel.keys.maxkeys, or fewer jails of one user";
        break;
    case Op::become_user:
        if (code == EINVAL) return "--uid-map and --gid-map that have these ids";
        break;
    case Op::take_tree:
        if (code == EACCES)
            return plan.ids.by_parent ? "chmod o+x on the directories above it: inside, host root "
                                        "has no special rights"
                                      : "a path that you may reach";
        break;
    case Op::switch_root:
        if (code == EINVAL)
            return "outside of a chroot, and not from an initramfs: pivot_root(2) asks for a "
                   "mounted root";
        break;
    case Op::change_directory:
        return "--workdir with a directory that exists inside";
    case Op::make_directory:
    case Op::make_file:
        if (code == EROFS) return "a place for it that exists in what --add or --root shows";
        break;
    case Op::find_program:
        return "a program that the root has, as a path or found by PATH";
    case Op::execute:
        if (code == EACCES)
            return fmt::format("chmod o+rx {}; it is run as host id {}", plan.program,
                               plan.ids.host_uid);
        if (!plan.candidates.empty())
            return code == ENOENT ? "a program that the root has, as a path or found by --env PATH="
                   : code == EPERM ? "a seccomp profile that lets execve(2) pass"
                                   : "";
        if (code == ENOENT)
            return "--root with a directory that holds its interpreter (the program itself is "
                   "there)";
        if (code == ENOMEM || code == E2BIG) return "a larger --memory, or fewer arguments";
        break;
    case Op::filter_calls:
        return "a kernel with CONFIG_SECCOMP_FILTER";
    default:
        break;
    }
    if (code == ENOSYS) return "Linux 5.12 or later";
    return {};
}

} // namespace

Error step_error(JailPlan const& plan, std::size_t index, int error_number) {
    Step const& step = plan.steps[index];
    Error error{describe(step), std::strerror(error_number), hint_for(plan, step, error_number),
                error_number};
    if (step.op == Op::execute || step.op == Op::find_program) {
        error.op = "exec(" + plan.program + ")";
        error.exit_status = !plan.candidates.empty() && error_number == ENOENT
                                ? exit_code::not_found
                                : exit_code::cannot_execute;
    }
    if (step.op == Op::require_device)
        error.cause = "the host's " + step.path + " is not that device";
    if (error_number == EOWNERDEAD) error.cause = "isolate itself is gone";
    return error;
}

Error clone_error(JailPlan const& plan, int code) {
    Error error{
        "clone3(" + describe_namespaces(plan.clone_flags) + ")", std::strerror(code), {}, code};
    if (code == EPERM && !plan.ids.fresh) {
        error.hint = "root; or --namespace user=fresh, in which the others may be made";
    } else if (sysctl_value("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
        error.hint =
            "sudo sysctl kernel.unprivileged_userns_clone=1 (user namespaces are disabled)";
    } else if (sysctl_value("/proc/sys/user/max_user_namespaces") == 0) {
        error.hint = "sudo sysctl user.max_user_namespaces=10000 (user namespaces are disabled)";
    } else if (user_namespaces_restricted_by_apparmor() && (code == EPERM || code == EACCES)) {
        error.hint = k_apparmor;
    } else if (code == ENOSPC || code == EUSERS) {
        error.hint =
            "sudo sysctl user.max_user_namespaces=10000, and the other user.max_*_namespaces";
    } else if (code == EPERM) {
        error.hint =
            "outside of a chroot or a container whose seccomp filter forbids new namespaces";
    } else if (code == EINVAL || code == ENOSYS) {
        error.hint = "Linux 5.12 or later with all eight kinds of namespaces (CONFIG_USER_NS, "
                     "CONFIG_TIME_NS, ...)";
    } else if (code == EAGAIN) {
        error.hint = "a higher limit of processes (ulimit -u)";
    }
    return error;
}

} // namespace iso::jail
