#pragma once

// Children and threads.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

/// clone(2) with a stack of its own: the new task calls `entry(argument)` and exits with what that
/// returns. `tid` gets the thread's number, and zero and a futex wake when it ends, if the flags
/// say so. Returns the task's number or -errno. In clone_x86_64.S.
extern "C" long iso_clone(unsigned long flags, void* stack_top, int (*entry)(void*), void* argument,
                          int* tid);

inline constexpr unsigned long k_sigchld = 17;
inline constexpr unsigned long k_clone_vm = 0x100;
inline constexpr unsigned long k_clone_vfork = 0x4000;
/// CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|PARENT_SETTID|CHILD_CLEARTID: what a thread is.
inline constexpr unsigned long k_clone_thread =
    0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x100000 | 0x200000;

inline long fork_child() {
    return need("fork", linux_call::call(linux_call::fork));
}

/// Waits for the child and fails unless it exited with `status`.
inline void wait_child(long pid, int status) {
    int how = -1;
    long ended = 0;
    do
        ended = linux_call::call(linux_call::wait4, pid, linux_call::address(&how), 0, 0);
    while (ended == -linux_call::k_eintr);
    need("wait4", ended);
    if (ended != pid) fail("wait4 found another child than", static_cast<uint64_t>(pid));
    if (how != status << 8) fail("the child ended with wait status", static_cast<uint64_t>(how));
}

struct PipeEnds {
    int read;
    int write;
};

inline PipeEnds make_pipe() {
    PipeEnds ends{-1, -1};
    need("pipe2", linux_call::call(linux_call::pipe2, linux_call::address(&ends), 0));
    return ends;
}

/// What a child of fork-exec and spawn-exec runs: this very file, told to leave at once.
inline constexpr int k_leave_status = 7;

inline long execute_own_file() {
    char const* const argv[] = {k_name, "leave=1", nullptr};
    char const* const environment[] = {nullptr};
    return linux_call::call(linux_call::execve, linux_call::address("/proc/self/exe"),
                            linux_call::address(argv), linux_call::address(environment));
}

} // namespace iso::workload
