// Process 1 of the jail: builds it, starts the program, reaps until the program ends.
#include "common/clock.hpp"
#include "isolate/shared.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sched.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

int g_slots[k_max_slots];
alignas(16) char g_program_stack[65536];

/// Writes "isolate: trace: CALL = RESULT" without allocating.
void trace(ChildSetup const& setup, std::size_t index, int failed) {
    if (setup.trace_lines == nullptr) return;
    char number[16];
    char* at = number + sizeof number;
    *--at = '\n';
    unsigned value = static_cast<unsigned>(failed);
    do
        *--at = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    if (failed != 0) *--at = '-';
    char const* const line = setup.trace_lines[index];
    iovec parts[2] = {{const_cast<char*>(line), std::strlen(line)},
                      {at, static_cast<std::size_t>(number + sizeof number - at)}};
    (void)!::writev(2, parts, 2);
}

/// Runs steps [from, to); false when one failed, which is then recorded.
bool run_steps(ChildSetup const& setup, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
        Step const& step = setup.plan->steps[i];
        if (step.op == Op::execute) {
            setup.shared->enter_ns = monotonic_ns();
            trace(setup, i, 0);
        }
        int const failed = run_step(step, setup, g_slots);
        if (setup.timed) setup.shared->step_end_ns[i] = monotonic_ns();
        if (step.op != Op::execute || failed != 0) trace(setup, i, failed);
        bool const missing = failed == ENOENT || failed == ENOTDIR || failed == EBADF;
        if (failed == 0 || (step.may_be_missing && missing)) continue;
        if (step.may_exist && failed == EEXIST) continue;
        if (step.may_be_refused && failed == EPERM) {
            g_slots[step.out] = -1;
            setup.shared->refused_step = static_cast<int>(i);
            continue;
        }
        setup.shared->failed_errno = failed;
        setup.shared->failed_step = static_cast<int>(i);
        if (setup.shared->start_connection != 0) {
            StartFailure const told{static_cast<std::int32_t>(step.op), failed};
            (void)!::write(setup.shared->start_connection, &told, sizeof told);
        }
        return false;
    }
    return true;
}

/// In the program's own process, which still shares our memory: we wait until it is gone or has
/// become the program.
int program_main(void* argument) {
    auto const& setup = *static_cast<ChildSetup const*>(argument);
    run_steps(setup, setup.plan->program_step + 1, setup.plan->steps.size());
    ::_exit(exit_code::engine_failed);
}

/// Reaps until the program itself ends; passes on what isolate sends.
void wait_for(pid_t program, Shared& shared) {
    sigset_t all;
    ::sigfillset(&all);
    for (;;) {
        int status = 0;
        for (pid_t gone = 0; (gone = ::waitpid(-1, &status, WNOHANG)) > 0;)
            if (gone == program) {
                shared.exit_ns = monotonic_ns();
                shared.wait_status = status;
                shared.ended = true;
                return;
            }
        siginfo_t info{};
        int const signal = ::sigwaitinfo(&all, &info);
        // A sender outside has no id here, or is our parent where the tree is shared. What the
        // program sends its own init is its own affair.
        if (signal > 0 && signal != SIGCHLD && info.si_code <= 0 &&
            (info.si_pid == 0 || info.si_pid == ::getppid()))
            ::kill(program, signal);
    }
}

} // namespace

bool run_parent_steps(ChildSetup const& setup) {
    setup.shared->parent_ns = monotonic_ns();
    return run_steps(setup, 0, setup.plan->parent_steps);
}

pid_t start_child(ChildSetup const& setup, int& pidfd) {
    JailPlan const& plan = *setup.plan;
    clone_args arguments{};
    arguments.flags = plan.clone_flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    if (plan.door_steps == plan.parent_steps) {
        auto const pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        if (pid == 0) child_main(setup);
        return pid;
    }
    // Joining namespaces changes who joins, so another process does it. It goes through the door,
    // has the child there, as a child of ours (CLONE_PARENT), and ends. It has our descriptors, so
    // that the child's arrives here, but no memory of ours: setns(2) into a time namespace refuses
    // who shares that.
    Shared& shared = *setup.shared;
    clone_args door{};
    door.flags = CLONE_FILES | CLONE_VFORK;
    door.exit_signal = SIGCHLD;
    auto const through = static_cast<pid_t>(::syscall(SYS_clone3, &door, sizeof door));
    if (through == 0) {
        if (!run_steps(setup, plan.parent_steps, plan.door_steps)) ::_exit(1);
        arguments.flags |= CLONE_PARENT;
        arguments.exit_signal = 0; // as ours
        auto const pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        if (pid == 0) child_main(setup);
        shared.door_errno = errno;
        shared.door_pid = pid;
        shared.door_pidfd = pidfd;
        ::_exit(0);
    }
    if (through < 0) return through;
    while (::waitpid(through, nullptr, 0) < 0 && errno == EINTR) {
    }
    errno = shared.door_errno;
    pidfd = shared.door_pidfd;
    return shared.failed_step >= 0 ? -1 : shared.door_pid;
}

void close_parent_slots(ChildSetup const& setup) {
    for (std::size_t i = 0; i < setup.plan->parent_steps; ++i)
        if (Step const& step = setup.plan->steps[i]; step.out >= 0) ::close(g_slots[step.out]);
}

void child_main(ChildSetup const& setup) {
    Shared& shared = *setup.shared;
    shared.start_ns = monotonic_ns();
    ::close(setup.go_write);
    for (int const fd : setup.ours)
        ::close(fd);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::setsid(); // a signal to isolate's process group is isolate's to handle
    ::umask(0);
    ::prctl(PR_SET_NAME, "jail-init");
    if (!setup.command_line.empty())
        std::memset(setup.command_line.data(), 0, setup.command_line.size());

    if (!run_steps(setup, setup.plan->door_steps, setup.plan->program_step))
        ::_exit(exit_code::engine_failed);
    ::umask(022);
    shared.load_ns = monotonic_ns();
    if (!setup.plan->own_init) {
        run_steps(setup, setup.plan->program_step, setup.plan->steps.size());
        ::_exit(exit_code::engine_failed);
    }
    // Sharing memory until execve spares copying our page tables for a process that drops them.
    pid_t const program =
        ::clone(program_main, g_program_stack + sizeof g_program_stack,
                CLONE_VM | CLONE_VFORK | SIGCHLD, const_cast<ChildSetup*>(&setup));
    if (program < 0) {
        shared.failed_errno = errno;
        shared.failed_step = static_cast<int>(setup.plan->program_step);
    }
    if (setup.timed) shared.step_end_ns[setup.plan->program_step] = monotonic_ns();
    if (shared.failed_step >= 0) ::_exit(exit_code::engine_failed);
    ::close_range(0, ~0U, 0); // else a pipe that the program closes would stay open
    wait_for(program, shared);
    ::_exit(0);
}

} // namespace iso::jail
