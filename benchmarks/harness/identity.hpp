#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::bench {

/// What proves that every engine runs the same bytes.
struct FileIdentity {
    std::string file_sha256;   ///< of the whole file
    std::string mapped_sha256; ///< of what is mapped from it: the workload hashes its own memory
};

/// Reads and checks an executable. Errors: not found (127); not a static x86-64 ELF (126).
Result<FileIdentity> identify(std::string const& path);

} // namespace iso::bench
