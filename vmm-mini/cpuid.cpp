#include "vmm-mini/cpuid.hpp"

#include "vmm-mini/kvm_arrays.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace iso::vmm {

namespace {

constexpr std::uint32_t k_max_entries = 256; // KVM's own limit (arch/x86/include/asm/kvm_host.h)

constexpr std::uint32_t k_hypervisor = std::uint32_t{1} << 31U;   // leaf 1, ECX
constexpr std::uint32_t k_tsc_deadline = std::uint32_t{1} << 24U; // leaf 1, ECX
constexpr std::uint32_t k_apic_id = 0xff000000;                   // leaf 1, EBX

/// What the CPUID requests take.
struct Table {
    CpuidHeader header;
    std::array<kvm_cpuid_entry2, k_max_entries> entries{};
};
static_assert(sizeof(Table) == sizeof(CpuidHeader) + k_max_entries * sizeof(kvm_cpuid_entry2));

} // namespace

Result<Cpuid> Cpuid::supported(Kvm const& kvm) {
    Table table;
    table.header.count = k_max_entries;
    TRY(kvm_ioctl(kvm.fd(), k_get_supported_cpuid, "KVM_GET_SUPPORTED_CPUID", &table));
    Cpuid cpuid;
    cpuid.entries_.assign(table.entries.begin(),
                          table.entries.begin() + std::min(table.header.count, k_max_entries));
    fix_up(cpuid.entries_);
    return cpuid;
}

Result<void> Cpuid::apply(Vcpu const& vcpu) const {
    Table table;
    table.header.count = static_cast<std::uint32_t>(entries_.size());
    std::copy(entries_.begin(), entries_.end(), table.entries.begin());
    TRY(kvm_ioctl(vcpu.fd, k_set_cpuid2, "KVM_SET_CPUID2", &table));
    return {};
}

std::string Cpuid::vendor() const {
    for (kvm_cpuid_entry2 const& entry : entries_) {
        if (entry.function != 0) continue;
        char text[12];
        std::memcpy(text, &entry.ebx, 4);
        std::memcpy(text + 4, &entry.edx, 4);
        std::memcpy(text + 8, &entry.ecx, 4);
        return std::string(text, sizeof text);
    }
    return "unknown";
}

std::uint32_t Cpuid::hardware_capabilities() const {
    for (kvm_cpuid_entry2 const& entry : entries_)
        if (entry.function == 1) return entry.edx;
    return 0;
}

std::uint64_t Cpuid::supervisor_protection() const {
    // Bits of leaf 7, EBX; in CR4 they are 20 and 21 (AMD64 APM vol. 2, 3.1.3).
    constexpr std::uint32_t smep = 7, smap = 20;
    for (kvm_cpuid_entry2 const& entry : entries_)
        if (entry.function == 7 && entry.index == 0)
            return std::uint64_t{entry.ebx >> smep & 1U} << 20U |
                   std::uint64_t{entry.ebx >> smap & 1U} << 21U;
    return 0;
}

void fix_up(std::span<kvm_cpuid_entry2> entries) {
    for (kvm_cpuid_entry2& entry : entries) {
        if (entry.function == 1) {
            entry.ecx |= k_hypervisor | k_tsc_deadline;
            entry.ebx &= ~k_apic_id;
        } else if (entry.function == 0xb || entry.function == 0x1f) {
            entry.edx = 0; // x2APIC id
        }
    }
}

} // namespace iso::vmm
