#pragma once

#include "common/machine/guest_memory.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace iso {

/// A loadable part of the guest kernel; addresses are guest-physical, on page boundaries.
struct KernelSegment {
    GuestPhys gpa;
    std::uint64_t memory = 0; ///< size in memory, bytes
    std::uint64_t offset = 0; ///< first byte in the file
    std::uint64_t file = 0;   ///< size in the file, bytes
    bool writable = false;
    bool executable = false;
};

/// A guest kernel whose headers have been checked against common/abi/guest_abi.h: ET_EXEC, linked
/// at ISO_KERNEL_BASE + ISO_KERNEL_GPA, no larger than ISO_KERNEL_MAX_BYTES, no segment both
/// writable and executable.
struct KernelImage {
    std::uint64_t entry = 0;             ///< virtual
    std::vector<KernelSegment> segments; ///< ascending, not sharing a page

    /// Errors: `op` is "kernel(NAME)", the cause says which rule is broken.
    static Result<KernelImage> parse(std::span<std::byte const> image, std::string const& name);

    /// Copies the segments to their places; what lies beyond the file's bytes stays zero.
    /// Precondition: `image` is what was parsed.
    void load(std::span<std::byte const> image, GuestMemory const& memory) const;
};

} // namespace iso
