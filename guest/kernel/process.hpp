#pragma once

#include "guest/kernel/file.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/text.hpp"
#include "guest/kernel/thread.hpp"
#include "guest/kernel/vm.hpp"

namespace iso::guest {

enum class ProcessState : u8 {
    running,
    stopped, // by SIGSTOP and the like
    zombie,  // ended; its parent has not asked yet
};

/// One running program: what its threads have in common.
class Process {
public:
    static constexpr u32 k_processes_max = 512;

    // ---- Who it is
    u32 pid = 0;
    u32 group = 0;
    u32 session = 0;
    Process* parent = nullptr; // nullptr: the first process, or one whose parent is gone
    Process* children = nullptr;
    Process* sibling = nullptr; // next child of the same parent
    Process* next = nullptr;    // of all processes
    ProcessState state = ProcessState::running;
    char name[16] = {}; // with `named`; else it is the file's
    bool named = false;

    // ---- What it has
    AddressSpace* space = nullptr; // nullptr: given back already
    FileTable* file_table = nullptr;
    SignalActions* actions = nullptr;
    ProcessSignals signals;
    Node* directory = nullptr;  // the working directory; nullptr: not looked up yet
    Node* executable = nullptr; // nullptr: the program that the engine passed in
    u32 umask = 022;
    int nice = 0; // setpriority(2)
    // Where argv's strings lie and how long they are; envp's follow. 0: as the engine passed them.
    UserAddr arguments = 0;
    u64 arguments_bytes = 0;
    u64 environment_bytes = 0;

    // ---- Its threads, the newest first
    Thread* threads = nullptr;
    u32 thread_count = 0;
    WaitQueue thread_left;

    // ---- How it ends
    bool exiting = false;           // all of its threads are to leave
    int status = 0;                 // as wait(2) has it
    int exit_signal = 17;           // SIGCHLD: what the parent is sent
    int death_signal = 0;           // what it is sent when its parent ends (prctl PR_SET_PDEATHSIG)
    int stopped_by = 0;             // news for wait(2): it was stopped by this signal
    bool continued = false;         // news for wait(2)
    WaitQueue child_changed;        // one of its children ended, stopped or went on
    WaitQueue went_on;              // its stopped threads wait here
    WaitQueue child_released;       // vfork(2): a child of this gives its space back
    Thread* vfork_waiter = nullptr; // whom to tell when this one does

    // ---- Time
    Timer alarm; // setitimer(2)
    u64 alarm_interval = 0;
    u64 cycles = 0; // of threads that are gone
    u64 children_cycles = 0;
    u64 faults = 0;

    AddressSpace& memory() { return *space; }
    FileTable& files() { return *file_table; }

    /// Ends all of its threads; the current one does not come back.
    [[noreturn]] void exit(int code) { end((code & 0xff) << 8); }
    [[noreturn]] void exit_by_signal(int signal) { end(signal); }
    /// There was no page frame for a fault: what Linux's OOM killer does.
    [[noreturn]] void kill_out_of_memory() { exit_by_signal(9); }
    /// Ends the current thread, and the process with the last one.
    [[noreturn]] void leave();
    /// Ends all threads but the current one, and waits until they are gone. False when the current
    /// one is to end itself: another one was first.
    bool end_other_threads();

    /// Stops all threads; returns when somebody continues them.
    void stop(int signal);
    void resume(bool by_signal);

    void add_thread(Thread& thread);
    u64 cycles_used() const;

    /// vfork's parent goes on: the space is its own again.
    void tell_vfork_parent();
    /// Makes what is shared with other processes its own: for execve(2). 0 or -ENOMEM.
    Result own_actions();
    Result own_files();
    /// Its name, without the path.
    Text short_name();
    void set_name(Text name);
    /// The working directory and the program's file of the parent.
    void copy_names(Process const& from);

    static Process* create();
    static Process* find(u32 pid);
    static Process* first();
    static u32 count();
    /// A process that ended and that nobody will ask for any more.
    static void bury(Process* process);

private:
    [[noreturn]] void end(int wait_status);
    void become_zombie();
    void tell_parent(int code, int value);
    void release();
};

// What the machine starts with; in the image, so that it costs nothing to make.
extern Process first_process;
extern Thread first_thread;
extern AddressSpace first_space;

/// The process that made the system call or fault being served.
inline Process& current() {
    return *this_cpu.process;
}

/// The thread with this number, in any process.
Thread* find_thread(u32 tid);
/// A number for a new process or thread.
u32 next_pid();

/// Runs the program that the engine passed in.
[[noreturn]] void run_first_process();

} // namespace iso::guest
