#pragma once

#include "common/mapping.hpp"
#include "common/result.hpp"
#include "common/run_options.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace iso {

/// A guest kernel's file, in memory: the one built in, or mapped from --kernel.
struct KernelFile {
    Mapping mapping;
    std::span<std::byte const> bytes;
    std::string name;

    /// `path` empty: the one built in. Errors: there is none, or the file cannot be read.
    static Result<KernelFile> open(std::string const& path, std::span<std::byte const> built_in);
};

/// RAM for --memory, or the default; a multiple of 2 MiB. `linear` is what the guest kernel can
/// map, of which `module_bytes` are taken. Errors: too little for a guest, or more than it can map.
Result<std::uint64_t> ram_size(RunOptions const& options, std::uint64_t module_bytes,
                               std::uint64_t linear);

/// What the guest is told about this run (enum iso_boot_flags). `slow_ring0`: its kernel's
/// instructions are emulated, so the engine copies for it.
std::uint64_t boot_flags(RunOptions const& options, bool slow_ring0);

} // namespace iso
