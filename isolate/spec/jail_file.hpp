#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <string_view>

namespace iso::jail {

/// What is read of a jail file at most.
inline constexpr std::size_t k_max_jail_file_bytes = std::size_t{1} << 20U;

/// Reads a jail file (docs/jail-file.md has the grammar and every key). Relative host paths are
/// relative to `base`, the file's folder. `where` is the file's name, for messages.
/// Errors: op is "WHERE:LINE:COLUMN", both from 1, columns in bytes.
Result<JailSpec> read_jail_file(std::string_view text, std::string const& base,
                                std::string const& where);

/// The same from a file.
Result<JailSpec> load_jail_file(std::string const& path);

/// The jail as a jail file that read_jail_file() reads as the same jail. What is as usual is left
/// out.
std::string write_jail_file(JailSpec const& spec);

/// A word as it stands in a jail file, in quotes where it needs them.
std::string jail_file_word(std::string_view word);

} // namespace iso::jail
