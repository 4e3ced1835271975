#pragma once

#include "guest/kernel/vfs.hpp"

namespace iso::guest {

/// /dev: its entries appear when they are looked up.
extern Special const device_directory;

/// st_rdev of /dev/tty: the terminal that a process has, or has not.
inline constexpr u64 k_terminal_number = 5 << 8;

} // namespace iso::guest
