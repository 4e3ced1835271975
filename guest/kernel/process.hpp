#pragma once

#include "guest/kernel/file.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/vm.hpp"

namespace iso::guest {

/// One running program.
class Process {
public:
    AddressSpace memory;
    FileTable files;
    Signals signals;
    Node* directory = nullptr; // the working directory; nullptr: not looked up yet
    u32 umask = 022;
    u32 pid = 2; // pid 1 would be spared by the default action of signals
    u32 parent_pid = 1;
    char name[16] = {}; // with `named`; else it is the file's
    bool named = false;

    /// Ends the process, and with the last one the machine.
    [[noreturn]] void exit(int status);
    [[noreturn]] void kill(int signal);
    /// There was no page frame for a fault: what Linux's OOM killer does.
    [[noreturn]] void kill_out_of_memory() { kill(9); }
};

/// The process that made the system call or fault being served.
extern Process* current_process;
inline Process& current() {
    return *current_process;
}

/// Runs the program that the engine passed in.
[[noreturn]] void run_first_process();

} // namespace iso::guest
