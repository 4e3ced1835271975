#include "benchmarks/harness/spawn.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/mapping.hpp"

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

constexpr std::size_t k_stack_bytes = std::size_t{64} << 10U;

/// What parent and child share; the child writes the last two when it fails. They share memory
/// (CLONE_VM), and the parent sleeps until the child has execed or ended (CLONE_VFORK).
struct ChildPlan {
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    int stdin_fd = -1;
    int stdout_fd = -1;
    int stderr_fd = -1;
    int report_fd = -1;
    int death_signal = 0;
    pid_t parent = -1;
    bool pinned = false;
    cpu_set_t cpus{};
    char const* failed_step = nullptr;
    int failed_errno = 0;
    int go_fd = -1;   ///< a byte arrives when the program may be executed; -1: at once
    int told_fd = -1; ///< what failed goes here where memory is not shared
};

/// The child, up to execve(2). Nothing here allocates or locks: it runs in the parent's memory.
/// Not instrumented: it never returns, so AddressSanitizer's marks would stay on the shared stack.
[[gnu::no_sanitize("address", "undefined")]] int child_main(void* argument) {
    auto* const plan = static_cast<ChildPlan*>(argument);
    auto fail = [plan](char const* step) {
        plan->failed_step = step;
        plan->failed_errno = errno;
        if (plan->told_fd >= 0) (void)!::write(plan->told_fd, plan, sizeof *plan);
        ::_exit(127);
    };
    if (::setpgid(0, 0) != 0) fail("setpgid");
    // A harness that dies takes its sample along; an engine sees to its own children.
    if (::prctl(PR_SET_PDEATHSIG, plan->death_signal) != 0) fail("prctl(PR_SET_PDEATHSIG)");
    if (::getppid() != plan->parent) ::_exit(127);
    // The flag lives in the memory descriptor, which is the harness's own until execve(2) hands it
    // on to the new one (prctl(2)). So it is set for the harness too, which does no harm.
    if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) fail("prctl(PR_SET_THP_DISABLE)");
    if (plan->pinned && ::sched_setaffinity(0, sizeof plan->cpus, &plan->cpus) != 0)
        fail("sched_setaffinity");
    rlimit const no_core{0, 0};
    if (::setrlimit(RLIMIT_CORE, &no_core) != 0) fail("setrlimit(RLIMIT_CORE)");
    if (::chdir("/") != 0) fail("chdir(/)");
    // The sources are all above 9 (see high()), so no step overwrites the source of a later one.
    if (::dup2(plan->stdin_fd, 0) < 0 || ::dup2(plan->stdout_fd, 1) < 0 ||
        ::dup2(plan->stderr_fd, 2) < 0)
        fail("dup2");
    unsigned first_closed = k_report_fd;
    if (plan->report_fd >= 0) {
        if (::dup2(plan->report_fd, k_report_fd) < 0) fail("dup2(report)");
        ++first_closed;
    }
    if (::syscall(SYS_close_range, first_closed, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        fail("close_range");
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (char go = 0; plan->go_fd >= 0 && ::read(plan->go_fd, &go, 1) != 1) ::_exit(127);
    ::execve(plan->argv[0], plan->argv, plan->environment);
    fail("execve");
    return 127;
}

/// A close-on-exec duplicate with a number above those that the child's dup2(2) calls use.
Result<Fd> high(int fd) {
    Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
    if (!copy) return sys_error("fcntl(F_DUPFD_CLOEXEC)");
    return copy;
}

/// As execve(2) takes a list of words.
std::vector<char*> pointers(std::vector<std::string> const& words) {
    std::vector<char*> list;
    list.reserve(words.size() + 1);
    for (std::string const& word : words)
        list.push_back(const_cast<char*>(word.c_str()));
    list.push_back(nullptr);
    return list;
}

/// As clone(2) with CLONE_VFORK, but with a stop before execve(2). The memory is a copy, so that
/// what went wrong comes back through a pipe: the plan itself, whose strings are the program's own.
Result<pid_t> spawn_stopped(SpawnRequest const& request, ChildPlan& plan, std::byte* stack_end) {
    Pipe go = TRY(Pipe::create());
    Pipe told = TRY(Pipe::create());
    Fd const go_read = TRY(high(go.read.get()));
    Fd told_write = TRY(high(told.write.get()));
    plan.go_fd = go_read.get();
    plan.told_fd = told_write.get();
    pid_t const pid = ::clone(child_main, stack_end, SIGCHLD, &plan);
    if (pid < 0) return sys_error("clone");
    request.before_exec(pid);
    (void)!::write(go.write.get(), "g", 1);
    told.write.reset(); // then the pipe ends when the program is executed
    told_write.reset();
    ChildPlan seen;
    if (::read(told.read.get(), &seen, sizeof seen) == sizeof seen) {
        plan.failed_step = seen.failed_step;
        plan.failed_errno = seen.failed_errno;
    }
    return pid;
}

Error exec_error(std::string const& program, ChildPlan const& plan) {
    errno = plan.failed_errno;
    std::string const step = plan.failed_step;
    if (step != "execve") return std::move(sys_error(step).value());
    bool const missing = errno == ENOENT || errno == ENOTDIR;
    return std::move(sys_error("exec(" + program + ")").value())
        .with_exit(missing ? exit_code::not_found : exit_code::cannot_execute);
}

} // namespace

Result<Spawned> spawn(SpawnRequest const& request) {
    static Mapping stack; // one for all children: there is never more than one before its execve
    if (stack.size() == 0) stack = TRY(Mapping::anonymous(k_stack_bytes));
    Fd const low_null = TRY(Fd::open("/dev/null", O_RDONLY));
    Fd const null = TRY(high(low_null.get()));
    Fd const out = TRY(high(request.stdout_fd));
    Fd const err = TRY(high(request.stderr_fd));
    Fd report;
    if (request.report_fd >= 0) report = TRY(high(request.report_fd));

    std::vector<char*> const argv = pointers(request.command);
    std::vector<char*> const environment = pointers(request.environment);
    ChildPlan plan;
    plan.argv = argv.data();
    plan.environment = environment.data();
    plan.stdin_fd = null.get();
    plan.stdout_fd = out.get();
    plan.stderr_fd = err.get();
    plan.report_fd = report.get();
    plan.death_signal = request.death_signal;
    plan.parent = ::getpid();
    CPU_ZERO(&plan.cpus);
    if (request.cpu) {
        plan.pinned = true;
        CPU_SET(static_cast<unsigned>(*request.cpu), &plan.cpus);
    }

    Spawned spawned;
    spawned.spawn_ns = monotonic_ns();
    auto* const stack_end = stack.data() + stack.size();
    if (request.before_exec) {
        spawned.pid = TRY(spawn_stopped(request, plan, stack_end));
    } else {
        spawned.pid = ::clone(child_main, stack_end, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
        if (spawned.pid < 0) return sys_error("clone");
    }
    if (plan.failed_step != nullptr) {
        while (::waitpid(spawned.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        return tl::unexpected<Error>(exec_error(request.command.front(), plan));
    }
    return spawned;
}

} // namespace iso::bench
