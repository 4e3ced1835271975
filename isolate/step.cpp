// The kernel calls of the set-up, made in the child after clone: nothing here allocates.
#include "isolate/landlock.hpp"
#include "isolate/step_parts.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace steps {

int result(long value) {
    return value < 0 ? errno : 0;
}

int open_path(int directory, char const* path, std::uint64_t resolve, bool follow) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC | (follow ? 0U : unsigned{O_NOFOLLOW});
    how.resolve = resolve;
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int open_inside(char const* path, bool follow) {
    // From the root on, so that ".." in a link ends there as well.
    return open_path(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS, follow);
}

} // namespace steps

namespace {

using steps::result;

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

/// setns(2) asks for a time namespace that nobody lives in yet while its offsets are written.
int offset_clocks(Step const& step) {
    if (::unshare(CLONE_NEWTIME) != 0) return errno;
    if (int const failed = write_text("/proc/self/timens_offsets", step.text); failed != 0)
        return failed;
    int const fd = ::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int const failed = result(::setns(fd, CLONE_NEWTIME));
    ::close(fd);
    return failed;
}

int forget_host(ChildSetup const& setup, int* slots) {
    for (int slot = 0; slot < setup.plan->slots; ++slot)
        if (slots[slot] > STDERR_FILENO) {
            ::close(slots[slot]);
            slots[slot] = -1;
        }
    return 0;
}

int new_keyring() {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr, 0, 0, 0) >= 0) return 0;
    return errno == ENOSYS ? 0 : errno; // a kernel without keys has none to hide
}

int open_to_slot(char const* path, int flags, int& slot) {
    slot = ::open(path, flags | O_CLOEXEC);
    return result(slot);
}

int allow_below(Step const& step, int const* slots) {
    int const path = steps::open_inside(step.path.c_str());
    if (path < 0) return errno;
    int const failed = landlock_allow(slots[step.in], path, step.number);
    ::close(path);
    return failed;
}

int change_directory(char const* path) {
    int const directory = steps::open_inside(path);
    if (directory < 0) return errno;
    int const failed = result(::fchdir(directory));
    ::close(directory);
    return failed;
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

/// What a shell reaches as /dev/stdout is opened anew, which asks for its mode: pipes, and with
/// `terminal` the jail's own. What is not ours to give (an id that is not mapped) stays.
void own_streams(JailPlan const& plan, bool terminal) {
    for (int fd = 0; fd < 3; ++fd) {
        struct stat info {};
        if (::fstat(fd, &info) != 0 || info.st_uid == plan.uid) continue;
        if (S_ISFIFO(info.st_mode) || (terminal && S_ISCHR(info.st_mode)))
            (void)!::fchown(fd, plan.uid, ~gid_t{0});
    }
}

/// Said before the start, as clients expect it. Whether it can be executed, execve(2) says.
int find_program(Step const& step, JailPlan const& plan) {
    int const base = steps::open_inside(step.path.c_str());
    if (base < 0) return errno;
    int told = ENOENT;
    for (std::string const& candidate : plan.candidates) {
        open_how how{};
        how.flags = O_PATH | O_CLOEXEC;
        how.resolve = RESOLVE_NO_MAGICLINKS;
        int const found =
            static_cast<int>(::syscall(SYS_openat2, base, candidate.c_str(), &how, sizeof how));
        told = found >= 0 ? 0 : errno == ENOTDIR ? told : errno;
        if (found < 0) continue;
        ::close(found);
        break;
    }
    ::close(base);
    return told;
}

/// As execvp(3): a name without a slash is tried in each directory; the most telling error wins.
int execute(Step const& step, ChildSetup const& setup) {
    JailPlan const& plan = *setup.plan;
    if (plan.program_fd >= 0)
        return result(::syscall(SYS_execveat, plan.program_fd, "", plan.argv.data(),
                                plan.envp.data(), AT_EMPTY_PATH));
    if (plan.candidates.empty())
        return result(::execve(step.path.c_str(), plan.argv.data(), plan.envp.data()));
    int told = ENOENT;
    for (std::string const& candidate : plan.candidates) {
        ::execve(candidate.c_str(), plan.argv.data(), plan.envp.data());
        if (errno == ENOENT || errno == ENOTDIR) continue;
        told = errno;
        if (errno != EACCES) break;
    }
    return told;
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
    case Op::set_domainname:
        return result(::setdomainname(step.text.data(), step.text.size()));
    case Op::open_namespace:
        return open_to_slot(path, O_RDONLY, slots[step.out]);
    case Op::join_namespace:
        return result(::setns(slots[step.in], static_cast<int>(step.number)));
    case Op::offset_clocks:
        return offset_clocks(step);
    case Op::new_cgroup_view:
        return result(::unshare(CLONE_NEWCGROUP));
    case Op::new_keyring:
        return new_keyring();
    case Op::move_mounts_to_us:
    case Op::set_propagation:
        return result(::mount(nullptr, "/", nullptr, step.number, nullptr));
    case Op::forget_host:
        return forget_host(setup, slots);
    case Op::take_tree:
        return steps::take_tree(step, slots);
    case Op::require_device:
        return steps::require_device(step, slots);
    case Op::new_filesystem:
        return steps::new_filesystem(step, slots);
    case Op::open_layer:
        return open_to_slot(path, O_PATH | O_DIRECTORY, slots[step.out]);
    case Op::cover_root:
        return steps::cover_root(slots[step.in]);
    case Op::uncover_root:
        return steps::uncover_root(slots[step.in]);
    case Op::make_layers:
        return steps::make_layers(step, slots);
    case Op::new_overlay:
        return steps::new_overlay(step, slots);
    case Op::restrict_mount:
        return steps::restrict_mount(step, slots);
    case Op::outlive_parent:
        return result(::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
    case Op::own_streams:
        own_streams(*setup.plan, step.number != 0);
        return 0;
    case Op::find_program:
        return find_program(step, *setup.plan);
    case Op::tell_parent:
        return result(::write(setup.ready, "h", 1));
    case Op::await_start:
        return await_start(setup);
    case Op::await_parent:
        return await_parent(setup);
    case Op::become_root_inside:
        return steps::become_root_inside(*setup.plan);
    case Op::enter_root:
        return steps::enter_root(slots[step.in]);
    case Op::switch_root:
        return result(::syscall(SYS_pivot_root, ".", "."));
    case Op::detach_host:
        return steps::detach_host();
    case Op::change_root:
        return steps::change_root(path);
    case Op::make_directory:
        return ::mkdir(path, static_cast<mode_t>(step.number)) != 0 && errno != EEXIST ? errno : 0;
    case Op::make_file:
        return steps::make_file(path);
    case Op::make_link:
        return result(::symlink(step.text.c_str(), path));
    case Op::place_directory:
        return steps::place_directory(path, static_cast<mode_t>(step.number));
    case Op::place_file:
        return steps::place_file(path);
    case Op::place_link:
        return steps::place_link(path, step.text.c_str());
    case Op::place_node:
        return steps::place_node(step);
    case Op::copy_up:
        return steps::copy_up(step, slots);
    case Op::attach:
    case Op::attach_inside:
        return steps::attach(slots[step.in], path, step.op == Op::attach);
    case Op::mask:
        return steps::mask(step, slots);
    case Op::cover_read_only:
        return steps::cover_read_only(path);
    case Op::make_read_only:
        return steps::make_read_only(path);
    case Op::set_limit:
        return steps::set_limit(step);
    case Op::set_limits_exactly:
        return steps::set_limits_exactly(step);
    case Op::drop_bounding:
        return steps::drop_bounding(step.number);
    case Op::become_user:
        return steps::become_user(*setup.plan);
    case Op::drop_capabilities:
        return steps::drop_capabilities();
    case Op::set_capabilities:
        return steps::set_capabilities(setup.plan->capabilities);
    case Op::open_terminal:
        return steps::open_terminal(step, setup);
    case Op::take_terminal:
        return result(::ioctl(STDIN_FILENO, TIOCSCTTY, 0));
    case Op::no_new_privileges:
        return result(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    case Op::not_dumpable:
        return result(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    case Op::filter_calls:
        return result(install_seccomp(setup.plan->filter.data(), setup.plan->filter.size(),
                                      setup.plan->filter_flags));
    case Op::landlock_begin:
        return landlock_begin(step.number, slots[step.out]);
    case Op::landlock_allow:
        return allow_below(step, slots);
    case Op::landlock_enforce:
        return landlock_enforce(slots[step.in]);
    case Op::start_program:
        return 0; // child_main
    case Op::new_session:
        return result(::setsid());
    case Op::default_signals:
        return default_signals();
    case Op::set_umask:
        ::umask(static_cast<mode_t>(step.number));
        return 0;
    case Op::change_directory:
        return change_directory(path);
    case Op::close_descriptors:
        return result(
            ::close_range(3 + static_cast<unsigned>(step.number), ~0U, CLOSE_RANGE_CLOEXEC));
    case Op::execute:
        return execute(step, setup);
    case Op::leave:
        ::_exit(0);
    }
    return EINVAL;
}

} // namespace iso::jail
