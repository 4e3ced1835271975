#include "vmm-mini/confine.hpp"

#include "isolate/seccomp_compiler.hpp"

#include <unistd.h>

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace iso::vmm {

namespace {

using jail::ArgumentTest;
using jail::SeccompAction;

/// Calls that need no look at their arguments.
constexpr long k_allowed[] = {
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_setitimer,
    SYS_timer_settime,
    SYS_poll,
    SYS_ppoll,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_getrusage,
    SYS_brk,
    SYS_munmap,
    SYS_madvise,
    SYS_close,
    SYS_exit_group,
    // What abort(3) does on its way.
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_getpid,
    SYS_gettid,
#ifdef __SANITIZE_ADDRESS__
    SYS_mremap,
    SYS_sigaltstack,
    SYS_futex,
    SYS_sched_yield,
#endif
};

ArgumentTest only(std::vector<int> const& values) {
    std::vector<std::uint32_t> wanted; // descriptor -1, not open, is one that no call accepts
    for (int const value : values)
        wanted.push_back(static_cast<std::uint32_t>(value));
    return {0, ArgumentTest::Kind::one_of, std::move(wanted), SeccompAction::allow(),
            SeccompAction::trap()};
}

ArgumentTest no_code() {
    return {2,
            ArgumentTest::Kind::any_bit_of,
            {PROT_EXEC},
            SeccompAction::trap(),
            SeccompAction::allow()};
}

} // namespace

jail::SeccompPolicy make_policy(OpenDescriptors const& open) {
    jail::SeccompPolicy policy;
    policy.unlisted = SeccompAction::trap();
    policy.wrong_architecture = SeccompAction::kill_process();
    for (long const call : k_allowed)
        policy.calls[static_cast<std::uint32_t>(call)] = SeccompAction::allow();
    policy.tests[SYS_ioctl] = only({open.vcpu});
    policy.tests[SYS_writev] = only({STDOUT_FILENO, STDERR_FILENO});
    policy.tests[SYS_readv] = only({STDIN_FILENO});
    policy.tests[SYS_write] = only({STDERR_FILENO, open.report});
    if (!open.statistics.empty()) policy.tests[SYS_pread64] = only(open.statistics);
    if (open.disk >= 0)
        for (long const call : {SYS_preadv, SYS_pwritev, SYS_fdatasync})
            policy.tests[static_cast<std::uint32_t>(call)] = only({open.disk});
    policy.tests[SYS_tgkill] = only({::getpid()});
    policy.tests[SYS_mmap] = no_code();
    policy.tests[SYS_mprotect] = no_code();
    return policy;
}

Result<void> check_confinement() {
    std::uint32_t action = SECCOMP_RET_TRAP;
    if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        return sys_error("seccomp(SECCOMP_GET_ACTION_AVAIL)",
                         "a kernel with CONFIG_SECCOMP_FILTER (Linux 4.14)");
    return {};
}

Result<void> confine(OpenDescriptors const& open) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sys_error("prctl(PR_SET_NO_NEW_PRIVS)");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capset, &header, none) != 0) return sys_error("capset(none)");
    jail::SeccompProgram const program = TRY(jail::compile_seccomp(make_policy(open)));
    if (jail::install_seccomp(program.data(), program.size()) != 0)
        return sys_error("seccomp(SECCOMP_SET_MODE_FILTER)");
    return {};
}

} // namespace iso::vmm
