#pragma once

#include "common/result.hpp"
#include "vmm-mini/kvm.hpp"

namespace iso::vmm {

/// Registers at the kernel's first instruction, as common/abi/guest_abi.h has them: 64-bit mode,
/// ring 0, interrupts off, no descriptor tables yet, RDI = the boot information's virtual address.
/// `supervisor_protection`: SMEP and SMAP in CR4, as far as the vCPU has them.
void set_entry_state(kvm_sregs& special, kvm_regs& general, GuestPhys page_tables,
                     std::uint64_t entry, std::uint64_t supervisor_protection);

/// Puts a vCPU there.
Result<void> enter_long_mode(Vcpu const& vcpu, GuestPhys page_tables, std::uint64_t entry,
                             std::uint64_t supervisor_protection);

} // namespace iso::vmm
