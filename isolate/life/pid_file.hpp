#pragma once

#include "common/result.hpp"

#include <string>

#include <sys/types.h>

namespace iso::jail {

/// Writes a process id: the file is there with the number in it, or not at all.
Result<void> write_pid_file_at(std::string const& path, pid_t pid);

} // namespace iso::jail
