#pragma once

#include "common/abi/guest_abi.h"
#include "common/machine/guest_clock.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/machine/modules.hpp"
#include "common/result.hpp"
#include "common/run_options.hpp"

#include <cstdint>

namespace iso {

/// Writes into guest memory what the kernel is told at the start: the boot information, the module
/// table, the area with argv, envp, paths and the working directory, and the program's first stack.
/// `hardware_capabilities`: what AT_HWCAP reports, CPUID leaf 1 EDX.
/// `disk_sectors`: 0 without a disk; `disk_registers`: where its registers are, if it has some.
/// Errors: more arguments or paths than the ABI's areas hold.
Result<void> write_boot_info(GuestMemory const& memory, RunOptions const& options,
                             ModuleTable const& modules, GuestClock const& clock,
                             std::uint64_t flags, std::uint32_t hardware_capabilities,
                             std::uint64_t disk_sectors = 0, std::uint64_t disk_registers = 0);

} // namespace iso
