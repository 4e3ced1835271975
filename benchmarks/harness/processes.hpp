#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::bench {

struct Process {
    pid_t pid = -1;
    pid_t parent = -1;
    std::string name;
};

/// A process's name and parent; without them when it is gone (proc_pid_stat(5)).
Process read_process(pid_t pid);

/// All that this process can see.
std::vector<Process> all_processes();

} // namespace iso::bench
