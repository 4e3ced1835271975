#pragma once

#include "common/result.hpp"
#include "vmm-mini/kvm.hpp"

namespace iso::vmm {

/// Deaths of a guest that its kernel did not announce, told so that the kernel's author can act:
/// what KVM said, where the CPU was, and what such an exit usually means.
/// Source of the exit reasons and their fields: api.rst section 5.

Error triple_fault(Vcpu const& vcpu);         ///< KVM_EXIT_SHUTDOWN
Error internal_error(Vcpu const& vcpu);       ///< KVM_EXIT_INTERNAL_ERROR
Error entry_refused(Vcpu const& vcpu);        ///< KVM_EXIT_FAIL_ENTRY
Error outside_of_memory(Vcpu const& vcpu);    ///< KVM_EXIT_MMIO: there are no devices in memory
Error unexpected_port(Vcpu const& vcpu);      ///< KVM_EXIT_IO to anything but the doorbell
Error halted_for_ever(Vcpu const& vcpu);      ///< KVM_EXIT_HLT without an interrupt controller
Error system_event(Vcpu const& vcpu);         ///< KVM_EXIT_SYSTEM_EVENT
Error unexpected_exit(Vcpu const& vcpu);      ///< any other reason
Error run_failed(Vcpu const& vcpu, int code); ///< KVM_RUN itself failed

} // namespace iso::vmm
