#pragma once

#include "common/result.hpp"

#include <string>

namespace iso {

/// Finds a program as a shell does: a name with a slash is a path, any other is searched in PATH.
/// Returns an absolute path with symbolic links resolved.
/// Errors: not found (exit status 127); a directory, or without permission to execute (126).
Result<std::string> find_program(std::string const& name);

/// The directory that holds the running program; engine programs are looked up there first.
Result<std::string> own_directory();

} // namespace iso
