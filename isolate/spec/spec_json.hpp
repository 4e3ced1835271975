#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <string_view>

namespace iso::jail {

/// The version of the form below: a state file of another version is refused, not guessed at.
inline constexpr int k_spec_version = 1;

/// A jail as one JSON object, as the state on disk keeps it: {"version": 1, "jail": {...}}. What is
/// as in a new JailSpec is left out. Text that is not UTF-8 (an argument may be anything) is
/// {"hex": "..."}.
std::string spec_to_json(JailSpec const& spec);

/// Reads it back, strictly. `where` is what an error begins with: a file's name.
/// Errors: not JSON, another version, a field that is unknown, or of the wrong form, named as
/// "WHERE: jail.limits.memory".
Result<JailSpec> spec_from_json(std::string_view text, std::string const& where);

} // namespace iso::jail
