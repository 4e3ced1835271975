#include "vmm-mini/cpu_state.hpp"

#include "common/abi/guest_abi.h"

namespace iso::vmm {

namespace {

// AMD64 APM vol. 2: CR0 3.1.1, CR4 3.1.3, EFER 3.1.7.
constexpr std::uint64_t k_cr0_pe = 1U << 0U;
constexpr std::uint64_t k_cr0_mp = 1U << 1U;
constexpr std::uint64_t k_cr0_et = 1U << 4U;
constexpr std::uint64_t k_cr0_ne = 1U << 5U;
constexpr std::uint64_t k_cr0_wp = 1U << 16U; // W^X binds the kernel, too
constexpr std::uint64_t k_cr0_am = 1U << 18U;
constexpr std::uint64_t k_cr0_pg = 1U << 31U;
constexpr std::uint64_t k_cr4_pae = 1U << 5U;
constexpr std::uint64_t k_cr4_osfxsr = 1U << 9U;
constexpr std::uint64_t k_cr4_osxmmexcpt = 1U << 10U;
constexpr std::uint64_t k_efer_sce = 1U << 0U;
constexpr std::uint64_t k_efer_lme = 1U << 8U;
constexpr std::uint64_t k_efer_lma = 1U << 10U;
constexpr std::uint64_t k_efer_nxe = 1U << 11U;

// Descriptor types: APM vol. 2, 4.7 and 4.8.
constexpr std::uint8_t k_type_code = 0xb;     // execute, read, accessed
constexpr std::uint8_t k_type_data = 0x3;     // read, write, accessed
constexpr std::uint8_t k_type_busy_tss = 0xb; // 64-bit
constexpr std::uint8_t k_type_ldt = 0x2;

constexpr std::uint64_t k_rflags_reserved = 2;

kvm_segment flat(std::uint16_t selector, std::uint8_t type, bool code) {
    kvm_segment segment{};
    segment.selector = selector;
    segment.limit = 0xffffffff;
    segment.type = type;
    segment.present = 1;
    segment.s = 1;
    segment.g = 1;
    segment.l = code ? 1 : 0;
    segment.db = code ? 0 : 1;
    return segment;
}

} // namespace

void set_entry_state(kvm_sregs& special, kvm_regs& general, GuestPhys page_tables,
                     std::uint64_t entry, std::uint64_t supervisor_protection) {
    special.cs = flat(ISO_KERNEL_CS, k_type_code, true);
    special.ds = special.es = special.fs = special.gs = special.ss =
        flat(ISO_KERNEL_DS, k_type_data, false);
    // VMX refuses to enter long mode without a busy TSS (Intel SDM vol. 3C, 27.3.1.2); its selector
    // points nowhere until the kernel loads its own.
    special.tr = {};
    special.tr.type = k_type_busy_tss;
    special.tr.present = 1;
    special.tr.limit = 0x67;
    special.ldt = {};
    special.ldt.type = k_type_ldt;
    special.ldt.unusable = 1;
    special.gdt = {};
    special.idt = {};
    special.cr0 = k_cr0_pe | k_cr0_mp | k_cr0_et | k_cr0_ne | k_cr0_wp | k_cr0_am | k_cr0_pg;
    special.cr3 = page_tables.value;
    special.cr4 = k_cr4_pae | k_cr4_osfxsr | k_cr4_osxmmexcpt | supervisor_protection;
    special.efer = k_efer_sce | k_efer_lme | k_efer_lma | k_efer_nxe;

    general = {};
    general.rip = entry;
    general.rdi = ISO_KERNEL_BASE + ISO_BOOT_INFO_GPA;
    general.rflags = k_rflags_reserved;
}

Result<void> enter_long_mode(Vcpu const& vcpu, GuestPhys page_tables, std::uint64_t entry,
                             std::uint64_t supervisor_protection) {
    kvm_sregs special{};
    kvm_regs general{};
    TRY(ISO_KVM(vcpu.fd, KVM_GET_SREGS, &special)); // keeps what is the backend's: APIC base, CR8
    set_entry_state(special, general, page_tables, entry, supervisor_protection);
    TRY(ISO_KVM(vcpu.fd, KVM_SET_SREGS, &special));
    TRY(ISO_KVM(vcpu.fd, KVM_SET_REGS, &general));
    return {};
}

} // namespace iso::vmm
