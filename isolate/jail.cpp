#include "isolate/jail.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/mapping.hpp"
#include "common/pidfd.hpp"
#include "isolate/explain.hpp"
#include "isolate/hints.hpp"
#include "isolate/memory_group.hpp"
#include "isolate/shared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

constexpr std::uint64_t k_namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                       CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                                       CLONE_NEWTIME;
/// What a program that was asked to stop may take for it.
constexpr std::uint64_t k_grace_ns = 1'000'000'000;

/// The signals that ask isolate to stop, received through a descriptor. One that the caller
/// ignores (as under nohup) stays ignored.
class StopSignals {
public:
    Result<void> open() {
        sigset_t set;
        ::sigemptyset(&set);
        for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
            struct sigaction action {};
            ::sigaction(signal, nullptr, &action);
            if (action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
        }
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!fd_) return sys_error("signalfd");
        return {};
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// The next signal, or 0.
    [[nodiscard]] int take() const {
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info
                   ? static_cast<int>(info.ssi_signo)
                   : 0;
    }

private:
    Fd fd_;
};

/// How the wait for process 1 came to its end.
struct Waited {
    bool timed_out = false;
    int stopped_by = 0; ///< the signal that asked us to stop
    int init_status = 0;
    rusage usage{};
};

/// A run in progress: owns everything that has to be undone.
class Run {
public:
    Run(JailOptions const& options, IdMap const& ids, RunReport& report)
        : options_(options)
        , ids_(ids)
        , report_(report) {}
    ~Run() {
        if (init_ > 0) { // left early by an error: nothing may stay behind
            ::kill(init_, SIGKILL);
            while (::waitpid(init_, nullptr, __WALL) < 0 && errno == EINTR) {
            }
        }
    }
    Run(Run const&) = delete;
    Run& operator=(Run const&) = delete;

    Result<void> all() {
        TRY(signals_.open());
        TRY(limit_memory());
        plan_ = TRY(make_plan(options_, ids_, memory_));
        TRY(share());
        TRY(start());
        TRY(serve_child());
        Waited const waited = TRY(wait());
        TRY(conclude(waited));
        return {};
    }

private:
    Result<void> limit_memory() {
        if (!options_.spec.limits.memory) return {};
        auto group = MemoryGroup::create(*options_.spec.limits.memory);
        if (group) {
            group_ = std::move(*group);
            memory_ = MemoryLimit::cgroup;
            report_.facts["memory.limit"] = "cgroup " + group_.name();
        } else {
            memory_ = MemoryLimit::address_space;
            report_.facts["memory.limit"] = fmt::format("RLIMIT_AS, for each process ({}: {})",
                                                        group.error().op, group.error().cause);
        }
        return {};
    }

    Result<void> share() {
        shared_memory_ = TRY(
            Mapping::create(sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS));
        // The mapping is all zeros: only the members that do not start as zero are written, for
        // each page that is touched is a page fault.
        shared_ = reinterpret_cast<Shared*>(shared_memory_.data());
        shared_->failed_step = -1;
        shared_->refused_step = -1;
        go_ = TRY(Pipe::create());
        if (options_.run.trace) {
            for (Step const& step : plan_.steps)
                trace_text_.push_back("isolate: trace: " + describe(step) + " = ");
            for (std::string const& line : trace_text_)
                trace_lines_.push_back(line.c_str());
        }
        return {};
    }

    Result<void> start() {
        clone_args arguments{};
        int pidfd = -1;
        arguments.flags = k_namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
        arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
        arguments.exit_signal = SIGCHLD;
        ChildSetup const setup{&plan_,
                               shared_,
                               go_.read.get(),
                               go_.write.get(),
                               options_.command_line,
                               options_.run.explain,
                               trace_lines_.empty() ? nullptr : trace_lines_.data()};
        if (!run_parent_steps(setup)) return failed_step();
        clone_start_ns_ = monotonic_ns();
        auto const pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        if (pid == 0) child_main(setup);
        if (pid < 0) return tl::unexpected<Error>(clone_error(errno));
        init_ = pid;
        pidfd_ = Pidfd(Fd(pidfd));
        go_.read.reset();
        close_parent_slots(setup);
        return {};
    }

    tl::unexpected<Error> failed_step() const {
        return tl::unexpected<Error>(step_error(
            plan_, static_cast<std::size_t>(shared_->failed_step.load()), shared_->failed_errno));
    }

    /// The parent's part of the set-up, while the child is at its own.
    Result<void> serve_child() {
        if (plan_.ids.by_parent) {
            TRY(write_map("uid_map", plan_.ids.host_uid));
            TRY(write_map("gid_map", plan_.ids.host_gid));
            TRY(go());
        }
        if (memory_ == MemoryLimit::cgroup) {
            TRY(group_.attach(init_));
            TRY(go());
        }
        return {};
    }

    Result<void> write_map(char const* file, unsigned id) {
        std::string const path = fmt::format("/proc/{}/{}", init_, file);
        Fd const map = TRY(Fd::open(path, O_WRONLY));
        auto written = write_all(map.get(), fmt::format("0 {} 1", id));
        if (!written) written.error().op = "write(" + path + ")";
        return written;
    }

    Result<void> go() {
        // A child that is gone says why in the shared page; that its pipe is closed is no news.
        sigset_t pipe_signal;
        ::sigemptyset(&pipe_signal);
        ::sigaddset(&pipe_signal, SIGPIPE);
        ::sigprocmask(SIG_BLOCK, &pipe_signal, nullptr);
        (void)!::write(go_.write.get(), "g", 1);
        return {};
    }

    Result<Waited> wait() {
        Waited waited;
        std::uint64_t deadline = options_.run.timeout_ns == 0
                                     ? 0
                                     : report_.phases.create.value_or(0) + options_.run.timeout_ns;
        for (;;) {
            pollfd polled[2] = {{pidfd_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
            timespec left{};
            if (deadline != 0) {
                std::uint64_t const now = monotonic_ns();
                std::uint64_t const rest = deadline > now ? deadline - now : 0;
                left = {static_cast<time_t>(rest / 1'000'000'000),
                        static_cast<long>(rest % 1'000'000'000)};
            }
            int const ready = ::ppoll(polled, 2, deadline != 0 ? &left : nullptr, nullptr);
            if (ready < 0 && errno != EINTR) return sys_error("ppoll");
            if (ready > 0 && polled[0].revents != 0) break;
            if (ready == 0) {
                if (waited.stopped_by == 0) waited.timed_out = true;
                TRY(pidfd_.send(SIGKILL));
                deadline = 0;
            }
            if (int const signal = signals_.take(); signal != 0) {
                // The first goes to the program, which may tidy up; a second one, or a second of
                // time, ends everything.
                TRY(pidfd_.send(waited.stopped_by == 0 ? signal : SIGKILL));
                if (waited.stopped_by == 0) waited.stopped_by = signal;
                deadline = monotonic_ns() + k_grace_ns;
            }
        }
        while (::wait4(init_, &waited.init_status, __WALL, &waited.usage) < 0)
            if (errno != EINTR) return sys_error("wait4");
        init_ = -1;
        return waited;
    }

    Result<void> conclude(Waited const& waited) {
        Shared const& shared = *shared_;
        auto phase = [](std::uint64_t ns) { return ns == 0 ? std::optional<std::uint64_t>() : ns; };
        report_.phases.load = phase(shared.load_ns);
        report_.phases.enter = phase(shared.enter_ns);
        report_.phases.exit = shared.exit_ns != 0 ? shared.exit_ns : monotonic_ns();
        count(waited.usage);
        if (memory_ == MemoryLimit::cgroup) {
            report_.counters["host.memory_peak_bytes"] = group_.peak_bytes();
            report_.counters["host.memory_refusals"] = group_.refusals();
        }
        TRY(group_.remove());
        report_.phases.destroy = monotonic_ns();
        if (shared.refused_step >= 0)
            report_.facts["refused"] =
                describe(plan_.steps[static_cast<std::size_t>(shared.refused_step.load())]);

        if (options_.run.explain) {
            std::string const text = explain(plan_, shared, report_, memory_);
            (void)write_all(STDERR_FILENO, text);
        }
        if (waited.timed_out) {
            report_.ended = Ended::timeout;
        } else if (waited.stopped_by != 0) {
            report_.ended = Ended::killed;
            report_.signal = waited.stopped_by;
        } else if (shared.failed_step >= 0) {
            return failed_step();
        } else {
            ended_by_itself(waited);
        }
        return {};
    }

    void ended_by_itself(Waited const& waited) {
        // Process 1 ends by a signal only from outside: the out-of-memory killer, or kill -9.
        int const status = shared_->ended ? shared_->wait_status : waited.init_status;
        if (WIFSIGNALED(status)) {
            report_.ended = Ended::signalled;
            report_.signal = WTERMSIG(status);
        } else {
            report_.ended = Ended::exited;
            report_.status = WEXITSTATUS(status);
        }
    }

    void count(rusage const& usage) {
        auto set = [&](char const* name, long value) {
            report_.counters[name] = static_cast<std::uint64_t>(value);
        };
        set("host.minor_faults", usage.ru_minflt);
        set("host.voluntary_switches", usage.ru_nvcsw);
        set("host.involuntary_switches", usage.ru_nivcsw);
        set("host.max_rss_kib", usage.ru_maxrss);
        set("jail.steps", static_cast<long>(plan_.steps.size()));
        set("jail.filter_instructions", static_cast<long>(plan_.filter.size()));
        set("jail.clone_ns", static_cast<long>(shared_->start_ns > clone_start_ns_
                                                   ? shared_->start_ns - clone_start_ns_
                                                   : 0));
    }

    JailOptions const& options_;
    IdMap const ids_;
    RunReport& report_;
    StopSignals signals_;
    MemoryLimit memory_ = MemoryLimit::none;
    MemoryGroup group_;
    JailPlan plan_;
    Mapping shared_memory_;
    Shared* shared_ = nullptr;
    Pipe go_;
    std::vector<std::string> trace_text_;
    std::vector<char const*> trace_lines_;
    Pidfd pidfd_;
    std::uint64_t clone_start_ns_ = 0;
    pid_t init_ = -1; // last: what it stands for ends before the group is removed
};

} // namespace

RunReport run(JailOptions const& options) {
    RunReport report;
    report.engine = "isolate";
    report.phases.create = monotonic_ns();
    IdMap const ids = choose_ids();
    report.backend = ids.backend();
    Run run(options, ids, report);
    if (auto done = run.all(); !done) {
        report.ended = Ended::engine_failed;
        report.failure = std::move(done.error());
    }
    return report;
}

} // namespace iso::jail
