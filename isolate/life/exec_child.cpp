// The children of `isolate exec`: nothing here allocates.
#include "isolate/life/exec_child.hpp"

#include <cerrno>
#include <csignal>
#include <sched.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

int g_exec_slots[16]; ///< of Landlock's rule set, which is all that an exec opens

[[noreturn]] void give_up(ExecShared& shared, ExecFailure where, int step = 0) {
    shared.failed_errno = errno;
    shared.failed_step = step;
    shared.failed_at = static_cast<int>(where);
    ::_exit(exit_code::engine_failed);
}

[[noreturn]] void program_process(ExecPlan const& exec, ExecShared& shared,
                                  ChildSetup const& setup) {
    ::prctl(PR_SET_PDEATHSIG, setup.ready >= 0 ? 0 : SIGKILL);
    for (std::size_t i = 0; i < exec.plan.steps.size(); ++i) {
        Step const& step = exec.plan.steps[i];
        errno = run_step(step, setup, g_exec_slots);
        if (errno != 0 && !(step.may_be_missing && errno == ENOENT))
            give_up(shared, ExecFailure::step, static_cast<int>(i));
    }
    ::_exit(exit_code::engine_failed); // not reached: the last step is execve(2)
}

} // namespace

void exec_main(ExecPlan const& exec, ExecShared& shared, ChildSetup const& setup) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte = 0; // our parent puts us into the jail's control group meanwhile
    if (::read(setup.go_read, &byte, 1) != 1) ::_exit(exit_code::engine_failed);
    // Nobody inside may look into us, who have the host's memory and descriptors (CVE-2016-9962).
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (::setns(exec.jail, exec.namespaces) != 0) give_up(shared, ExecFailure::join);
    IdMap const& ids = exec.plan.ids;
    if (exec.become_root &&
        (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
         ::syscall(SYS_setresgid, ids.setup_gid, ids.setup_gid, ids.setup_gid) != 0 ||
         ::syscall(SYS_setresuid, ids.setup_uid, ids.setup_uid, ids.setup_uid) != 0))
        give_up(shared, ExecFailure::identity);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // new ids set it anew
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::umask(022);
    // A process namespace is joined by children only. This one is our parent's child, which waits
    // for it; the number we get is the host's, for we stayed there.
    auto const pid = static_cast<pid_t>(
        ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (pid == 0) program_process(exec, shared, setup);
    if (pid < 0) give_up(shared, ExecFailure::clone);
    shared.program = pid;
    ::_exit(0);
}

} // namespace iso::jail
