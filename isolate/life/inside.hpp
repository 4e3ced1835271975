#pragma once

#include "isolate/life/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::jail {

/// A process of a jail, as the host sees it.
struct InsideProcess {
    pid_t pid = 0;    ///< on the host
    pid_t inside = 0; ///< in the jail
    char state = '?'; ///< as in ps(1)
    std::uint64_t cpu_ns = 0;
    std::uint64_t resident_bytes = 0;
    std::string command; ///< made fit to be shown
};

/// The processes in the process namespace of a jail, by their number inside.
/// Errors: the jail has ended; /proc cannot be read.
Result<std::vector<InsideProcess>> processes_inside(ProcessId const& init);

} // namespace iso::jail
