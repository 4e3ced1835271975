#include "paravirt-demo/confine.hpp"

#include "isolate/seccomp_compiler.hpp"

#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace iso::pv {

namespace {

using jail::SeccompAction;

/// What the monitor does while it serves: wait, answer, start and end processes it holds a handle
/// of.
constexpr long k_monitor_calls[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_poll,
    SYS_ppoll,
    SYS_epoll_wait,
    SYS_epoll_ctl,
    SYS_futex,
    SYS_timerfd_settime,
    SYS_vfork,
    SYS_dup2,
    SYS_execveat,
    SYS_wait4,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_fallocate,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_setitimer,
    SYS_getrusage,
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_madvise,
    SYS_close,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_getpid,
    SYS_gettid,
    SYS_tgkill,
#ifdef __SANITIZE_ADDRESS__
    SYS_mremap,
    SYS_sched_yield,
#endif
};

/// What a stub does to build the boundary around itself, before its own filter.
constexpr long k_stub_calls[] = {SYS_prctl,       SYS_getppid, SYS_setrlimit, SYS_close_range,
                                 SYS_sigaltstack, SYS_clone,   SYS_seccomp};

/// Calls of the disk are for its descriptor only.
void allow_disk(jail::SeccompPolicy& policy, int disk) {
    for (long const call : {SYS_preadv, SYS_pwritev, SYS_fdatasync})
        policy.tests[static_cast<std::uint32_t>(call)] = {0,
                                                          jail::ArgumentTest::Kind::one_of,
                                                          {static_cast<std::uint32_t>(disk)},
                                                          SeccompAction::allow(),
                                                          SeccompAction::trap()};
}

} // namespace

Result<void> confine(int disk) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sys_error("prctl(PR_SET_NO_NEW_PRIVS)");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capset, &header, none) != 0) return sys_error("capset(none)");
    // Every answer but "allowed" is a trap: of several filters the strictest answer counts, and
    // guest code's system calls, of any table, must arrive in the guest kernel as events.
    jail::SeccompPolicy policy;
    policy.unlisted = SeccompAction::trap();
    policy.wrong_architecture = SeccompAction::trap();
    for (long const call : k_monitor_calls)
        policy.calls[static_cast<std::uint32_t>(call)] = SeccompAction::allow();
    for (long const call : k_stub_calls)
        policy.calls[static_cast<std::uint32_t>(call)] = SeccompAction::allow();
    if (disk >= 0) allow_disk(policy, disk);
    jail::SeccompProgram const program = TRY(jail::compile_seccomp(policy));
    if (jail::install_seccomp(program.data(), program.size()) != 0)
        return sys_error("seccomp(SECCOMP_SET_MODE_FILTER)");
    return {};
}

} // namespace iso::pv
