#pragma once

#include "common/fd.hpp"
#include "common/mapping.hpp"
#include "common/pidfd.hpp"
#include "isolate/shared.hpp"

#include <string>
#include <vector>

#include <sys/resource.h>

namespace iso::jail {

/// Makes the jail of a plan stop before its program until somebody starts it (Op::await_start).
void hold_at_start(JailPlan& plan);

/// Gives the program of a plan a terminal of the jail's own.
void add_terminal(JailPlan& plan);

/// A jail being started: from its plan to a process 1 that carries it out.
///
/// The parent's half in the order of calls: prepare(), start(), then while the child is at its own
/// half map_ids() and one go() for each Op::await_parent of the plan. Used alike by a run in the
/// foreground and by the supervisor of a detached jail. Whoever lets it go out of scope kills what
/// it started, unless it was waited for.
class Launch {
public:
    explicit Launch(JailPlan const& plan)
        : plan_(plan) {}
    ~Launch();
    Launch(Launch const&) = delete;
    Launch& operator=(Launch const&) = delete;

    /// Makes what both sides share. `trace`: each step is told on stderr.
    Result<void> prepare(bool trace);
    /// For a jail that somebody waits for: ready_fd() is readable when it waits for its start (a
    /// byte), and at the end of the file when its program was started or will not be (failed()).
    /// `named`: what process 1 is given beside that. Precondition: prepare().
    Result<void> announce(ChildSetup const& named);
    [[nodiscard]] int ready_fd() const { return ready_.read.get(); }
    /// A descriptor of ours that process 1 closes at once. Precondition: announce(), if at all.
    void keep_out(int fd);
    /// The parent's steps, then clone3(2). `command_line`: see JailOptions; `timed`: the time of
    /// each step is kept.
    Result<void> start(std::span<char> command_line, bool timed);
    /// Writes the id maps when that is the parent's to do, and tells the child.
    Result<void> map_ids();
    /// Lets the child pass its next Op::await_parent.
    void go() const;
    /// From now on process 1 is somebody else's to wait for, or to end.
    void let_go() { pid_ = -1; }
    /// Waits for the end of process 1 and reaps it; returns its wait status.
    Result<int> reap(struct rusage* usage);

    /// The error of the step that failed. Precondition: failed().
    [[nodiscard]] Error failure() const;
    [[nodiscard]] bool failed() const { return shared_->failed_step >= 0; }

    [[nodiscard]] Shared const& shared() const { return *shared_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] Pidfd const& pidfd() const { return pidfd_; }
    [[nodiscard]] std::uint64_t clone_start_ns() const { return clone_start_ns_; }

private:
    JailPlan const& plan_;
    Mapping memory_;
    Shared* shared_ = nullptr;
    Pipe go_;
    Pipe ready_;
    ChildSetup named_; ///< of it, what announce() says
    std::vector<int> kept_out_;
    std::vector<std::string> trace_text_;
    std::vector<char const*> trace_lines_;
    Pidfd pidfd_;
    std::uint64_t clone_start_ns_ = 0;
    pid_t pid_ = -1;
};

} // namespace iso::jail
