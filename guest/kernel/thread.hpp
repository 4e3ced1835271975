#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/timer_list.hpp"
#include "guest/kernel/trap.hpp"
#include "guest/kernel/wait_queue.hpp"

namespace iso::guest {

class AddressSpace;
class Process;

enum class ThreadState : u8 {
    ready,   // runs, or stands in the line of those that could
    blocked, // waits for an event
    ended,   // gives its memory back once it is off its stack
};

/// A flow of control of a program, with the kernel stack that its traps use. It lies at the low end
/// of that stack's frames; the first thread lies in the image.
class Thread {
public:
    static constexpr u32 k_stack_frames = 4;
    static constexpr u32 k_threads_max = 8192; // of all processes; there are 32766 numbers

    // ---- What the scheduler needs
    u64 kernel_stack_pointer = 0; // while another thread runs
    u64 stack_top = 0;
    Process* process = nullptr;
    AddressSpace* space = nullptr; // the process's
    Thread* next_ready = nullptr;
    ThreadState state = ThreadState::ready;
    Woken woken = Woken::event;
    bool deaf = false;   // blocked so that only SIGKILL wakes it
    bool leaves = false; // another thread executes a program: this one ends
    Waiter* waiters = nullptr;
    u32 waiter_count = 0;
    Timer timer;
    u64 cycles = 0; // used so far
    u64 cycles_at_start = 0;

    // ---- The program's side
    u32 tid = 0;
    Thread* sibling = nullptr; // next thread of the process
    ThreadSignals signals;
    void* fpu = nullptr;         // its floating-point state while the machine holds another's
    u64 fpu_frame = 0;           // where that lies
    UserAddr clear_on_exit = 0;  // set_tid_address(2)
    UserAddr robust_list = 0;    // set_robust_list(2)
    UserAddr set_on_start = 0;   // CLONE_CHILD_SETTID
    UserAddr thread_pointer = 0; // FS base to start with; 0: the parent's
    bool vfork_pending = false;  // its child still uses the space

    // ---- On the way back to the program
    /// A call that needs the whole register file runs there; its result is the call's.
    Result (*deferred)(TrapFrame&) = nullptr;
    u64 argument[6] = {};
    u64 traced_call = 0;      // 1 + number of the deferred call, when calls are traced
    u64 interrupted_call = 0; // 1 + number of the call that a signal interrupted
    /// What is left of a call that waited until some time: restart_syscall(2).
    struct Remainder {
        Result (*call)(u64 const (&argument)[4]) = nullptr;
        u64 argument[4] = {};
    } remainder;

    /// A thread with a kernel stack and room for registers; nullptr when there is no memory.
    static Thread* create();
    /// Makes it begin in the program with `frame`.
    void start_at(TrapFrame const& frame);
    /// Room for the floating-point state, which the first thread does not start with.
    bool make_fpu_room();

    /// For a call that a signal interrupts: how it goes on when no handler runs.
    Result go_on_with(Result (*call)(u64 const (&argument)[4]), u64 a, u64 b, u64 c, u64 d = 0);

    bool is_running() const;

    /// Where a stack that is too deep writes first: whoever switches away looks at it.
    static constexpr u64 k_intact = 0x6b636174732d6f73;
    u64 stack_guard = k_intact;
};

/// What belongs to one processor. There is one so far; everything that would be per processor is
/// here.
struct Cpu {
    Thread* thread;
    Process* process;
    AddressSpace* space;
    Thread* ready_first;
    Thread* ready_last;
    Thread* registers_of;  // whose floating-point registers the processor holds
    Thread* ended;         // to be buried by whoever runs next
    AddressSpace* dropped; // nobody's any more, but still loaded
    u64 alarm;             // when the machine's timer will go off; 0: not set
    bool turn_ends;        // that is within a slice: whoever runs gives way in time
    bool give_way;         // somebody else's turn before the program goes on
};
extern Cpu this_cpu;

inline Thread& this_thread() {
    return *this_cpu.thread;
}
inline bool Thread::is_running() const {
    return this_cpu.thread == this;
}

} // namespace iso::guest
