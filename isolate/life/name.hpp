#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>

namespace iso::jail {

/// The longest name: what is left of NAME_MAX (255) where the name becomes part of another one.
inline constexpr std::size_t k_longest_name = 128;

/// Whether a jail may have this name. It becomes the name of a directory and of control groups, so
/// only letters, digits, '_', '-', '+' and '.' are in it, and the first is a letter or a digit.
/// Errors: exit status 2, with what is wrong about it.
Result<void> check_name(std::string_view name);

/// A name that hardly any other jail has: "jail-" and eight hexadecimal digits.
std::string make_name();

} // namespace iso::jail
