#pragma once

#include "isolate/seccomp_policy.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The names that seccomp profiles use.
namespace iso::jail {

enum class Architecture : std::uint8_t { x86_64, x86, x32 };
inline constexpr std::uint32_t k_x32_bit = 0x40000000;

/// A name of OCI's list that this machine can run; empty for any other.
std::optional<Architecture> architecture_named(std::string_view name);
/// A name of OCI's list that is another machine's.
bool is_foreign_architecture(std::string_view name);

/// What a system call's name is on an architecture.
struct Resolved {
    enum class Kind { number, elsewhere, unknown };
    Kind kind;
    std::uint32_t number = 0;
};
Resolved resolve_call(Architecture architecture, std::string const& name);

std::optional<std::uint32_t> action_value(std::string_view name);
std::string action_names();
std::optional<Comparison::Op> operator_named(std::string_view name);
std::optional<unsigned> filter_flag(std::string_view name);
std::optional<int> errno_number(std::string_view name);
std::optional<unsigned> capability_bit(std::string const& name);

} // namespace iso::jail
