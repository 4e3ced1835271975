#include "isolate/launch.hpp"

#include "common/clock.hpp"
#include "isolate/hints.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::jail {

void add_terminal(JailPlan& plan) {
    auto const step = [](Op op, char const* why, std::string path = {}) {
        return Step{.op = op, .why = why, .path = std::move(path), .text = {}};
    };
    // Where /dev is mounted and can still be written to.
    auto const program = plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.program_step);
    auto const at = std::find_if(plan.steps.begin(), program, [](Step const& s) {
        return s.op == Op::make_read_only || s.op == Op::drop_bounding || s.op == Op::filter_calls;
    });
    Step terminal = step(Op::open_terminal, "-t: a terminal of its own");
    terminal.number = 1;
    auto const made =
        plan.steps.insert(at, step(Op::place_file, "to mount its terminal on", "/dev/console"));
    plan.steps.insert(made + 1, std::move(terminal));
    plan.program_step += 2;
    // Process 1 itself is the leader of its session already (child_main).
    Op const leader = plan.own_init ? Op::new_session : Op::start_program;
    auto const session =
        std::find_if(plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.program_step),
                     plan.steps.end(), [&](Step const& s) { return s.op == leader; });
    plan.steps.insert(session + 1, step(Op::take_terminal, "its own is its controlling terminal"));
}

void hold_at_start(JailPlan& plan) {
    // Before the filter, which need not allow accept(2). From there on nobody inside can look at
    // this process or trace it: it is not dumpable.
    auto const end = plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.program_step);
    auto const at = std::find_if(plan.steps.begin(), end,
                                 [](Step const& step) { return step.op == Op::filter_calls; });
    plan.steps.insert(at, Step{.op = Op::await_start,
                               .why = "created: it goes on when somebody starts it",
                               .path = {},
                               .text = {}});
    ++plan.program_step;
}

Launch::~Launch() {
    if (pid_ <= 0) return; // left early by an error: nothing may stay behind
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
}

Result<void> Launch::prepare(bool trace) {
    memory_ =
        TRY(Mapping::create(sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS));
    // The mapping is all zeros: only the members that do not start as zero are written, for each
    // page that is touched is a page fault.
    shared_ = reinterpret_cast<Shared*>(memory_.data());
    shared_->failed_step = -1;
    shared_->refused_step = -1;
    go_ = TRY(Pipe::create());
    if (trace) {
        for (Step const& step : plan_.steps)
            trace_text_.push_back("isolate: trace: " + describe(step) + " = ");
        for (std::string const& line : trace_text_)
            trace_lines_.push_back(line.c_str());
    }
    return {};
}

Result<void> Launch::announce(ChildSetup const& named) {
    named_ = named;
    ready_ = TRY(Pipe::create());
    return {};
}

void Launch::keep_out(int fd) {
    kept_out_.assign(named_.ours.begin(), named_.ours.end());
    kept_out_.push_back(fd);
    named_.ours = kept_out_;
}

Result<void> Launch::start(std::span<char> command_line, bool timed) {
    int pidfd = -1;
    ChildSetup setup = named_;
    setup.plan = &plan_;
    setup.shared = shared_;
    setup.go_read = go_.read.get();
    setup.go_write = go_.write.get();
    setup.command_line = command_line;
    setup.timed = timed;
    setup.ready = ready_.write.get();
    setup.trace_lines = trace_lines_.empty() ? nullptr : trace_lines_.data();
    if (!run_parent_steps(setup)) return tl::unexpected<Error>(failure());
    clone_start_ns_ = monotonic_ns();
    pid_t const pid = start_child(setup, pidfd);
    if (pid < 0 && failed()) return tl::unexpected<Error>(failure());
    if (pid < 0) return tl::unexpected<Error>(clone_error(plan_, errno));
    pid_ = pid;
    pidfd_ = Pidfd(Fd(pidfd));
    go_.read.reset();
    ready_.write.reset();
    close_parent_slots(setup);
    // A child that is gone says why in the shared page; that its pipe is closed is no news.
    sigset_t pipe_signal;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &pipe_signal, nullptr);
    return {};
}

Result<void> Launch::map_ids() {
    if (!plan_.ids.by_parent) return {};
    TRY(write_id_maps(plan_.ids, pid_));
    go();
    return {};
}

void Launch::go() const {
    (void)!::write(go_.write.get(), "g", 1);
}

Result<int> Launch::reap(rusage* usage) {
    int status = 0;
    while (::wait4(pid_, &status, __WALL, usage) < 0)
        if (errno != EINTR) return sys_error("wait4");
    pid_ = -1;
    return status;
}

Error Launch::failure() const {
    return step_error(plan_, static_cast<std::size_t>(shared_->failed_step.load()),
                      shared_->failed_errno);
}

} // namespace iso::jail
