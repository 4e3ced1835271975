#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace iso {

/// One PT_LOAD segment, checked: the file range lies in the file, the memory range does not wrap.
struct ElfSegment {
    std::uint64_t vaddr = 0;  ///< first byte in memory
    std::uint64_t memory = 0; ///< size in memory, bytes
    std::uint64_t offset = 0; ///< first byte in the file
    std::uint64_t file = 0;   ///< size in the file, bytes; at most `memory`
    bool readable = false;
    bool writable = false;
    bool executable = false;
};

/// A static x86-64 Linux executable whose headers have been checked.
///
/// Every number in it is safe to use against the image it came from and against the user half of
/// the address space. Source: System V gABI chapters 4 and 5; AMD64 psABI.
struct ElfImage {
    std::uint64_t entry = 0;
    bool position_independent = false;       ///< ET_DYN without an interpreter (static-pie)
    std::uint64_t low = 0;                   ///< page-aligned start of the lowest segment
    std::uint64_t high = 0;                  ///< page-aligned end of the highest segment
    std::uint64_t program_headers_vaddr = 0; ///< AT_PHDR, before relocation; 0 when not mapped
    std::uint16_t program_header_count = 0;
    bool executable_stack = false;
    std::vector<ElfSegment> segments; ///< ascending, not overlapping (on pages)

    /// Checks the headers of an image.
    ///
    /// Errors: `op` is "exec(NAME)", exit_status 126: not ELF, 32-bit, other machine, dynamically
    /// linked (PT_INTERP), truncated, or a header that contradicts itself. The cause says which.
    static Result<ElfImage> parse(std::span<std::byte const> image, std::string const& name);

    /// The identity of the mapped program: SHA-256 over the file bytes of all PT_LOAD segments in
    /// order, as 64 hexadecimal digits. A workload computes the same over its own memory.
    [[nodiscard]] std::string mapped_sha256(std::span<std::byte const> image) const;
};

} // namespace iso
