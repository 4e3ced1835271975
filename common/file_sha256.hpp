#pragma once

#include "common/result.hpp"

#include <string>

namespace iso {

/// SHA-256 of a whole file as 64 hexadecimal digits. Errors: it cannot be read.
Result<std::string> file_sha256(std::string const& path);

} // namespace iso
