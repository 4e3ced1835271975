#include "isolate/plan.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

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
    default:
        return "?";
    }
}

} // namespace

std::string describe(Step const& step) {
    switch (step.op) {
    case Op::die_with_parent:
        return "prctl(PR_SET_PDEATHSIG, SIGKILL)";
    case Op::write_file:
        return fmt::format("write({}, \"{}\")", step.path, step.text);
    case Op::loopback_up:
        return "ioctl(SIOCSIFFLAGS, lo, IFF_UP)";
    case Op::set_hostname:
        return fmt::format("sethostname({})", step.text);
    case Op::private_mounts:
        return "mount(/, MS_REC|MS_PRIVATE)";
    case Op::take_tree:
        return fmt::format("open_tree({}{}{}, OPEN_TREE_CLONE)", step.text,
                           step.text.empty() || step.text == "/" ? "" : "/", step.path);
    case Op::require_device:
        return fmt::format("fstat({})", step.path);
    case Op::new_filesystem:
        return fmt::format("fsmount({}{}{})", step.path, step.text.empty() ? "" : ": ", step.text);
    case Op::restrict_mount:
        return fmt::format("mount_setattr({}, RDONLY|NOSUID|NODEV)", step.path);
    case Op::await_parent:
        return "read(pipe from isolate)";
    case Op::become_root_inside:
        return "setgroups(0), setresgid(0, 0, 0), setresuid(0, 0, 0)";
    case Op::enter_root:
        return "move_mount(new root, /), fchdir(new root)";
    case Op::switch_root:
        return "pivot_root(., .)";
    case Op::detach_host:
        return "umount2(., MNT_DETACH), chdir(/)";
    case Op::make_directory:
        return fmt::format("mkdir({}, {:04o})", step.path, step.number);
    case Op::make_file:
        return fmt::format("open({}, O_CREAT)", step.path);
    case Op::make_link:
        return fmt::format("symlink({}, {})", step.text, step.path);
    case Op::attach:
        return fmt::format("move_mount({})", step.path);
    case Op::mask:
        return fmt::format("move_mount({}, nothing)", step.path);
    case Op::make_read_only:
        return fmt::format("mount_setattr({}, RDONLY)", step.path);
    case Op::set_limit:
        return fmt::format("setrlimit({}, {})", limit_name(step.in), step.number);
    case Op::drop_bounding:
        return "prctl(PR_CAPBSET_DROP) for each capability";
    case Op::drop_capabilities:
        return "prctl(PR_SET_SECUREBITS), prctl(PR_CAP_AMBIENT_CLEAR_ALL), capset(none)";
    case Op::no_new_privileges:
        return "prctl(PR_SET_NO_NEW_PRIVS)";
    case Op::not_dumpable:
        return "prctl(PR_SET_DUMPABLE, 0)";
    case Op::outlive_parent:
        return "prctl(PR_SET_PDEATHSIG, 0)";
    case Op::await_start:
        return "accept(start)";
    case Op::filter_calls:
        return "seccomp(SECCOMP_SET_MODE_FILTER)";
    case Op::start_program:
        return "clone(CLONE_VM|CLONE_VFORK)";
    case Op::new_session:
        return "setsid()";
    case Op::default_signals:
        return "sigaction(each, SIG_DFL), sigprocmask(none)";
    case Op::change_directory:
        return fmt::format("chdir({})", step.path);
    case Op::close_descriptors:
        return "close_range(3, ~0, CLOSE_RANGE_CLOEXEC)";
    case Op::execute:
        return fmt::format("execve({})", step.path);
    case Op::leave:
        return "_exit(0)";
    }
    return "?";
}

} // namespace iso::jail
