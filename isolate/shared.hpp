#pragma once

#include "isolate/plan.hpp"

#include <atomic>
#include <cstdint>

namespace iso::jail {

/// What the child tells its parent, in memory that both map.
///
/// A pipe would do for the failure alone, but the parent would have to wake for it; this page costs
/// one fault, carries the times too, and is still there when everything inside has been killed.
/// The program never sees it: execve(2) leaves it behind.
struct Shared {
    std::atomic<int> failed_step = -1; ///< index into JailPlan::steps
    int failed_errno = 0;
    std::atomic<int> refused_step = -1; ///< a step that was refused and may be
    std::uint64_t parent_ns = 0;        ///< just before the parent's own steps
    std::uint64_t start_ns = 0;         ///< the child's first instruction
    std::uint64_t load_ns = 0;          ///< the isolation stands
    std::uint64_t enter_ns = 0;         ///< just before execve
    std::uint64_t exit_ns = 0;          ///< the program was reaped
    std::atomic<bool> ended = false;    ///< the program ended by itself: `wait_status` is set
    int wait_status = 0;                ///< as from waitpid(2)
    int start_connection = 0;           ///< the child's descriptor to whoever started it; 0: none
    int door_pid = 0, door_pidfd = -1, door_errno = 0; ///< from the process that joins namespaces
    std::uint64_t step_end_ns[k_max_steps] = {};       ///< touched only with --explain
};

/// What a created jail that fails to start its program says to whoever started it.
struct StartFailure {
    std::int32_t op = 0;    ///< Op
    std::int32_t error = 0; ///< errno
};

/// What the child needs beside the plan.
struct ChildSetup {
    JailPlan const* plan = nullptr;
    Shared* shared = nullptr;
    int go_read = -1;  ///< bytes from the parent; closed at its other end: the parent is gone
    int go_write = -1; ///< to be closed by the child
    std::span<char> command_line; ///< wiped, see JailOptions
    bool timed = false;
    int terminal_socket = -1; ///< where Op::open_terminal sends its master side
    unsigned short rows = 0, columns = 0;
    int start_listener = -1; ///< where Op::await_start accepts
    int ready = -1; ///< gets a 'c' when that waits; closed by the program's start, or by the end
    std::span<int const> ours;                ///< descriptors to be closed by the child
    char const* const* trace_lines = nullptr; ///< one for each step with --trace
};

/// The whole life of the child: executes the plan, starts the program, reaps until it ends.
/// Runs as process 1 of the new process namespace.
[[noreturn]] void child_main(ChildSetup const& setup);

/// The parent's own steps, before the child exists: it inherits the descriptors. False when one
/// failed, which is then recorded as the child does.
bool run_parent_steps(ChildSetup const& setup);

/// clone3(2) into the plan's namespaces, through those that are joined: the child carries out the
/// rest of the plan. Returns its process id; or -1 with errno, or with a failed step recorded.
pid_t start_child(ChildSetup const& setup, int& pidfd);

/// Closes what run_parent_steps() opened. The child has its own descriptors by now.
void close_parent_slots(ChildSetup const& setup);

/// Executes one step in the child. Allocates nothing. Returns 0 or an errno value.
int run_step(Step const& step, ChildSetup const& setup, int* slots);

} // namespace iso::jail
