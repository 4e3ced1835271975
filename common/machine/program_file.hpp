#pragma once

#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/result.hpp"
#include "common/run_options.hpp"

#include <string>

namespace iso {

/// The program to run: found, opened and checked before anything is built for it.
struct ProgramFile {
    std::string host;  ///< path on the host
    std::string guest; ///< path inside
    Fd fd;
    ElfImage elf;

    /// Finds PROGRAM as a shell does; with --root it is an absolute path inside of that directory,
    /// whose links are followed inside, too. Errors: 127 not found, 126 not a static x86-64
    /// program.
    static Result<ProgramFile> open(RunOptions const& options);
};

} // namespace iso
