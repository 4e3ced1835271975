#pragma once

#include "common/result.hpp"
#include "vmm-mini/kvm.hpp"

#include <span>
#include <string>
#include <vector>

namespace iso::vmm {

/// The guest's CPUID table.
class Cpuid {
public:
    /// What KVM supports on this machine, with what user space must add (see fix_up).
    static Result<Cpuid> supported(Kvm const& kvm);

    /// KVM_SET_CPUID2: before the first run.
    [[nodiscard]] Result<void> apply(Vcpu const& vcpu) const;

    /// The twelve letters of leaf 0.
    [[nodiscard]] std::string vendor() const;
    /// Leaf 1, EDX: what AT_HWCAP reports.
    [[nodiscard]] std::uint32_t hardware_capabilities() const;
    /// The guest may have SMEP and SMAP: their bits in CR4.
    [[nodiscard]] std::uint64_t supervisor_protection() const;

private:
    std::vector<kvm_cpuid_entry2> entries_;
};

/// Sets what KVM leaves to user space: the hypervisor bit, which a guest asks before it believes
/// any other leaf of KVM's; TSC-deadline mode, which KVM offers on every backend and reports on
/// one; and vCPU 0's APIC id, which is otherwise the host CPU's. Source: api.rst 4.46; Intel SDM
/// vol. 2A, CPUID, leaves 1, 0BH and 1FH.
void fix_up(std::span<kvm_cpuid_entry2> entries);

} // namespace iso::vmm
