#pragma once

#include "common/machine/guest_memory.hpp"
#include "common/machine/kernel_image.hpp"
#include "common/result.hpp"

namespace iso::vmm {

/// The most physical memory (RAM and modules) whose linear map fits in the ABI's page-table area.
/// Units: bytes.
std::uint64_t max_linear_bytes();

/// Builds the guest's first page tables in ISO_PAGE_TABLES_GPA..ISO_PAGE_TABLES_END: the linear map
/// of all physical memory at ISO_KERNEL_BASE, and nothing else. RAM is writable and modules are
/// read-only, none of it executable, in 2 MiB pages; the kernel image in 4 KiB pages with its own
/// permissions, the gaps in it like RAM. All supervisor-only. Returns the root, for CR3.
/// `device_bytes` behind the memory, a multiple of 2 MiB, are mapped as well: registers of devices,
/// uncached.
///
/// Accessed and Dirty are set beforehand: where KVM shadows page tables (its PVM backend), an entry
/// without them costs a fault at the first touch.
/// Source: AMD64 Architecture Programmer's Manual vol. 2, 5.3 and 5.4.
Result<GuestPhys> build_page_tables(GuestMemory const& memory, KernelImage const& kernel,
                                    std::uint64_t device_bytes = 0);

} // namespace iso::vmm
