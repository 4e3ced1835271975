#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace iso {

/// A Linux x86-64 system call: its name and how many arguments it takes.
struct SyscallInfo {
    std::string_view name;
    unsigned arguments = 6;
};

/// Looks a number up; unknown numbers have no name.
SyscallInfo syscall_info(std::uint64_t number);

/// One line as strace(1) writes it, without decoding pointers: "write(1, 0x7ff0, 12) = 12",
/// "openat(...) = -2 ENOENT (No such file or directory)".
std::string format_syscall(std::uint64_t number, std::span<std::uint64_t const, 6> arguments,
                           std::int64_t result);

/// Writes one line of the engine's own to stderr.
void say(std::string const& line);

} // namespace iso
