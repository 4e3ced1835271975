#pragma once

#include "common/fd.hpp"

#include <span>
#include <string>

namespace iso::jail {

/// The battery's static executable.
std::span<char const> battery_bytes();

/// The battery as a file in memory that nobody can change any more, to be executed by its
/// descriptor: what is inside of a jail sees no file of the host as /proc/PID/exe (CVE-2019-5736),
/// and it is gone with the last process that runs it.
Result<Fd> sealed_battery();

/// Writes it to a file, which must not exist, to be run in what other systems make.
Result<void> write_battery(std::string const& path);

} // namespace iso::jail
