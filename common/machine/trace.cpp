#include "common/machine/trace.hpp"

#include <fmt/format.h>

#include <cstring>
#include <unistd.h>

namespace iso {

namespace {

constexpr std::int64_t k_max_errno = 4095;       // the range that Linux returns errors in
constexpr std::uint64_t k_largest_count = 65536; // above this a number is more likely an address

std::string format_argument(std::uint64_t value) {
    auto const number = static_cast<std::int64_t>(value);
    if (number < 0 && number >= -k_max_errno)
        return fmt::format("{}", number); // AT_FDCWD and the like
    return value <= k_largest_count ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

} // namespace

std::string format_syscall(std::uint64_t number, std::span<std::uint64_t const, 6> arguments,
                           std::int64_t result) {
    SyscallInfo const info = syscall_info(number);
    std::string line =
        info.name.empty() ? fmt::format("syscall_{}", number) : std::string(info.name);
    line += '(';
    for (unsigned i = 0; i < info.arguments; ++i) {
        if (i != 0) line += ", ";
        line += format_argument(arguments[i]);
    }
    line += ") = ";
    if (result < 0 && result >= -k_max_errno) {
        int const code = static_cast<int>(-result);
        char const* const name = ::strerrorname_np(code);
        return line +
               fmt::format("{} {} ({})", result, name != nullptr ? name : "?", std::strerror(code));
    }
    return line + format_argument(static_cast<std::uint64_t>(result));
}

void say(std::string const& line) {
    std::string const text = line + "\n"; // one write(2): lines of several processes do not mix
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return; // nobody left to tell
}

} // namespace iso
