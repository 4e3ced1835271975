// The kernel calls of the set-up, made in the child after clone: nothing here allocates.
#include "isolate/shared.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/securebits.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

int result(long value) {
    return value < 0 ? errno : 0;
}

/// A descriptor on a path as openat2(2) finds it, or -1 with errno.
int open_path(int directory, char const* path, std::uint64_t resolve) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = resolve;
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int die_with_parent(ChildSetup const& setup) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    // It may be gone already. Its process id is of no use here (it is 0 in this namespace), but the
    // other end of the pipe is then closed.
    pollfd parent{setup.go_read, 0, 0};
    return ::poll(&parent, 1, 0) > 0 && (parent.revents & POLLHUP) != 0 ? EOWNERDEAD : 0;
}

int write_text(char const* path, std::string const& text) {
    int const fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int const failed = result(::write(fd, text.data(), text.size()));
    ::close(fd);
    return failed;
}

int loopback_up() {
    int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int const failed = result(::ioctl(fd, SIOCSIFFLAGS, &request));
    ::close(fd);
    return failed;
}

int clone_tree(int fd) {
    return static_cast<int>(
        ::open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

int take_tree(Step const& step, int* slots) {
    if (step.text.empty()) {
        slots[step.out] = static_cast<int>(::open_tree(
            AT_FDCWD, step.path.c_str(), AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        return result(slots[step.out]);
    }
    // Below --root nothing is trusted: no link may lead the walk out of it.
    int const root = ::open(step.text.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    int const entry = open_path(root, step.path.c_str(),
                                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    int failed = result(entry);
    ::close(root);
    if (failed != 0) return failed;
    slots[step.out] = clone_tree(entry);
    failed = result(slots[step.out]);
    ::close(entry);
    return failed;
}

int require_device(Step const& step, int const* slots) {
    struct stat info {};
    if (::fstat(slots[step.in], &info) != 0) return errno;
    return S_ISCHR(info.st_mode) && info.st_rdev == step.number ? 0 : ENODEV;
}

/// Gives "key=value,flag,..." to a file system context, piece by piece.
int configure(int context, std::string const& options) {
    char piece[128];
    for (char const* at = options.c_str(); *at != '\0';) {
        std::size_t const length = std::strcspn(at, ",");
        if (length >= sizeof piece) return ENAMETOOLONG;
        std::memcpy(piece, at, length);
        piece[length] = '\0';
        char* const equals = std::strchr(piece, '=');
        if (equals != nullptr) *equals = '\0';
        int const set = equals != nullptr
                            ? ::fsconfig(context, FSCONFIG_SET_STRING, piece, equals + 1, 0)
                            : ::fsconfig(context, FSCONFIG_SET_FLAG, piece, nullptr, 0);
        if (set != 0) return errno;
        at += length + (at[length] == ',' ? 1 : 0);
    }
    return 0;
}

int new_filesystem(Step const& step, int* slots) {
    int const context = ::fsopen(step.path.c_str(), FSOPEN_CLOEXEC);
    if (context < 0) return errno;
    int failed = configure(context, step.text);
    if (failed == 0) failed = result(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    if (failed == 0) {
        slots[step.out] = ::fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(step.number));
        failed = result(slots[step.out]);
    }
    ::close(context);
    return failed;
}

int restrict_mount(int fd, char const* path, std::uint64_t attributes) {
    mount_attr attr{};
    attr.attr_set = attributes;
    attr.propagation = MS_PRIVATE; // what isolate took is still a peer of the host's mount
    return result(::mount_setattr(fd, path, AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
}

int await_parent(ChildSetup const& setup) {
    char byte = 0;
    ssize_t got = 0;
    do
        got = ::read(setup.go_read, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? 0 : EOWNERDEAD;
}

/// Waits until somebody connects and writes a byte; whoever only looks whether we wait closes
/// without one. The connection stays open: that the program closes it by being started, or what we
/// write to it, is the answer.
int await_start(ChildSetup const& setup) {
    (void)!::write(setup.ready, "c", 1);
    for (;;) {
        int const connection = ::accept4(setup.start_listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return errno;
        }
        char byte = 0;
        if (::read(connection, &byte, 1) == 1) {
            ::close(setup.start_listener); // from here on nobody can start it again
            setup.shared->start_connection = connection;
            return 0;
        }
        ::close(connection);
    }
}

int become_root_inside() {
    // Raw calls: the C library's wrappers signal all threads, of which there is one.
    if (::syscall(SYS_setgroups, 0, nullptr) != 0) return errno;
    if (::syscall(SYS_setresgid, 0, 0, 0) != 0) return errno;
    return result(::syscall(SYS_setresuid, 0, 0, 0));
}

int enter_root(int root) {
    if (::move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0) return errno;
    return result(::fchdir(root));
}

int make_file(char const* path) {
    int const fd = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0) return errno == EEXIST ? 0 : errno;
    ::close(fd);
    return 0;
}

int move_to(int tree, int target) {
    return result(
        ::move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int attach(int tree, char const* path) {
    int const target = open_path(AT_FDCWD, path, RESOLVE_NO_SYMLINKS);
    if (target < 0) return errno;
    int const failed = move_to(tree, target);
    ::close(target);
    return failed;
}

int mask(Step const& step, int const* slots) {
    int const target = open_path(AT_FDCWD, step.path.c_str(), RESOLVE_NO_SYMLINKS);
    if (target < 0) return errno;
    struct stat info {};
    int failed = result(::fstat(target, &info));
    if (failed == 0) {
        int const cover =
            static_cast<int>(::open_tree(slots[S_ISDIR(info.st_mode) ? step.out : step.in], "",
                                         AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        failed = result(cover);
        if (failed == 0) failed = move_to(cover, target);
        if (cover >= 0) ::close(cover);
    }
    ::close(target);
    return failed;
}

int drop_bounding() {
    for (unsigned long capability = 0; capability < 64; ++capability)
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return errno == EINVAL && capability > CAP_AUDIT_READ ? 0 : errno;
    return 0;
}

int drop_capabilities() {
    // uid 0 is no reason to have capabilities, now or after an execve (capabilities(7),
    // "securebits").
    unsigned long const bits = SECURE_ALL_BITS | SECURE_ALL_LOCKS;
    if (::prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) return errno;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    return result(::syscall(SYS_capset, &header, none));
}

int set_limit(Step const& step) {
    rlimit limit{};
    auto const resource = static_cast<__rlimit_resource>(step.in);
    if (::getrlimit(resource, &limit) != 0) return errno;
    // A lower limit of the caller's stays: raising one is root's privilege.
    rlim_t const value = limit.rlim_max < step.number ? limit.rlim_max : step.number;
    limit.rlim_cur = value;
    limit.rlim_max = value;
    return result(::setrlimit(resource, &limit));
}

int default_signals() {
    // CLONE_CLEAR_SIGHAND leaves ignored signals ignored. The raw call, because the C library hides
    // 32 and 33 from sigaction(2) although posix_spawn(3) leaves just these ignored. SIGKILL and
    // SIGSTOP are refused and need nothing. All zeros: SIG_DFL, no flags, no mask.
    unsigned long const by_default[4] = {};
    for (int signal = 1; signal <= 64; ++signal)
        ::syscall(SYS_rt_sigaction, signal, by_default, nullptr, 8);
    sigset_t none;
    ::sigemptyset(&none);
    return result(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

int execute(Step const& step, ChildSetup const& setup) {
    return result(::execve(step.path.c_str(), setup.plan->argv.data(), setup.plan->envp.data()));
}

} // namespace

int run_step(Step const& step, ChildSetup const& setup, int* slots) {
    char const* const path = step.path.c_str();
    switch (step.op) {
    case Op::die_with_parent:
        return die_with_parent(setup);
    case Op::write_file:
        return write_text(path, step.text);
    case Op::loopback_up:
        return loopback_up();
    case Op::set_hostname:
        return result(::sethostname(step.text.data(), step.text.size()));
    case Op::private_mounts:
        return result(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
    case Op::take_tree:
        return take_tree(step, slots);
    case Op::require_device:
        return require_device(step, slots);
    case Op::new_filesystem:
        return new_filesystem(step, slots);
    case Op::restrict_mount:
        return restrict_mount(slots[step.in], "", step.number);
    case Op::await_parent:
        return await_parent(setup);
    case Op::become_root_inside:
        return become_root_inside();
    case Op::enter_root:
        return enter_root(slots[step.in]);
    case Op::switch_root:
        return result(::syscall(SYS_pivot_root, ".", "."));
    case Op::detach_host:
        return result(::umount2(".", MNT_DETACH) != 0 ? -1 : ::chdir("/"));
    case Op::make_directory:
        return ::mkdir(path, static_cast<mode_t>(step.number)) != 0 && errno != EEXIST ? errno : 0;
    case Op::make_file:
        return make_file(path);
    case Op::make_link:
        return result(::symlink(step.text.c_str(), path));
    case Op::attach:
        return attach(slots[step.in], path);
    case Op::mask:
        return mask(step, slots);
    case Op::make_read_only: {
        mount_attr attr{};
        attr.attr_set = MOUNT_ATTR_RDONLY;
        return result(::mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr));
    }
    case Op::set_limit:
        return set_limit(step);
    case Op::drop_bounding:
        return drop_bounding();
    case Op::drop_capabilities:
        return drop_capabilities();
    case Op::no_new_privileges:
        return result(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    case Op::not_dumpable:
        return result(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    case Op::outlive_parent:
        return result(::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
    case Op::await_start:
        return await_start(setup);
    case Op::filter_calls:
        return result(install_seccomp(setup.plan->filter.data(), setup.plan->filter.size()));
    case Op::start_program:
        return 0; // child_main
    case Op::new_session:
        return result(::setsid());
    case Op::default_signals:
        return default_signals();
    case Op::change_directory:
        return result(::chdir(path));
    case Op::close_descriptors:
        return result(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
    case Op::execute:
        return execute(step, setup);
    case Op::leave:
        ::_exit(0);
    }
    return EINVAL;
}

} // namespace iso::jail
