#pragma once

#include "common/abi/guest_abi.h"
#include "common/machine/guest_memory.hpp"
#include "common/run_options.hpp"

#include <cstdint>
#include <string>

namespace iso {

/// Builds the program's first stack (System V ABI, AMD64 supplement, 3.4.1) at the end of the area
/// that the ABI sets apart, so that the guest kernel, whose every instruction may be emulated, only
/// has to map it; says in `boot` where it is. Takes ids, counts and random bytes from `boot`.
/// Leaves boot.stack 0 when the area is too small: the kernel then builds the stack in frames of
/// its own.
void build_stack(GuestMemory const& memory, RunOptions const& options,
                 std::string const& executable, std::uint32_t hardware_capabilities,
                 iso_boot_info& boot);

} // namespace iso
