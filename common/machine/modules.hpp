#pragma once

#include "common/abi/guest_abi.h"
#include "common/fd.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/result.hpp"
#include "common/run_options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso {

/// A host file, directory or symbolic link that appears inside.
struct Module {
    std::string guest; ///< absolute path inside
    std::string host;  ///< path on the host
    std::uint32_t kind = ISO_MODULE_FILE;
    std::uint32_t mode = 0;
    std::uint64_t bytes = 0; ///< size; of a symbolic link, the length of its target
    std::string target;      ///< of a symbolic link
    GuestPhys gpa;           ///< set by lay_out(); 0 for a directory or an empty file

    friend bool operator==(Module const&, Module const&) = default;
};

/// Everything the guest's file system starts with: the program first, then --root and every --add
/// with directories expanded. The kernel makes the missing parent directories.
struct ModuleTable {
    std::vector<Module> modules;
    std::uint64_t bytes = 0; ///< of the module area; a multiple of 2 MiB

    /// Errors: a path that cannot be read; what is neither file, directory nor link; two different
    /// things at one path; more than the ABI's table holds.
    static Result<ModuleTable> collect(std::string const& program_host,
                                       std::string const& program_guest, RunOptions const& options);

    /// Whether `path` can be the working directory inside. Errors: there is no such directory.
    [[nodiscard]] Result<void> check_directory(std::string const& path) const;

    /// Gives every file its place from `base` on. Precondition: `base` is on a page.
    void lay_out(GuestPhys base);

    /// Maps the files into the module area: private mappings of the page cache, nothing is copied.
    /// `program` is the open program file. Errors: a file that changed since it was collected.
    [[nodiscard]] Result<void> map(GuestMemory const& memory, Fd const& program) const;

    /// Copies the files into the module area instead, where it must be one file with the RAM.
    [[nodiscard]] Result<void> copy(GuestMemory const& memory, Fd const& program) const;
};

} // namespace iso
