#include "vmm-mini/guest_death.hpp"

#include "vmm-mini/exit_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>

namespace iso::vmm {

namespace {

/// Where the CPU stood. After a triple fault AMD's has been reset, and the numbers say that.
std::string where(Vcpu const& vcpu) {
    kvm_regs general{};
    kvm_sregs special{};
    if (::ioctl(vcpu.fd.get(), KVM_GET_REGS, &general) != 0 ||
        ::ioctl(vcpu.fd.get(), KVM_GET_SREGS, &special) != 0)
        return {};
    return fmt::format(" (ring {}, rip {:#x}, rsp {:#x}, cr2 {:#x})", special.cs.selector & 3U,
                       general.rip, general.rsp, special.cr2);
}

/// What a guest kernel must not use in ring 0, because some backend cannot emulate it.
struct Pattern {
    std::array<std::uint8_t, 4> bytes;
    std::size_t length;
    std::string_view name;
};
constexpr Pattern k_patterns[] = {
    {{0x0f, 0x01, 0xca}, 3, "clac"},
    {{0x0f, 0x01, 0xcb}, 3, "stac"},
    {{0x0f, 0x01, 0xd0}, 3, "xgetbv"},
    {{0x0f, 0x01, 0xf9}, 3, "rdtscp"},
    {{0x0f, 0x01, 0xc1}, 3, "vmcall"},
    {{0x0f, 0x01, 0xd9}, 3, "vmmcall"},
    {{0x0f, 0xae}, 2, "xsave, ldmxcsr or a fence"},
    {{0x0f, 0xc7}, 2, "cmpxchg16b or xsavec"},
    {{0x0f, 0xb8}, 2, "popcnt"},
    {{0x0f, 0x38, 0x82}, 3, "invpcid"},
    {{0x0f, 0x38, 0xf0}, 3, "crc32 or movbe"},
    {{0xcd}, 1, "int n"},
    {{0xcc}, 1, "int3"},
    {{0xf1}, 1, "icebp"},
    {{0xc4}, 1, "a VEX instruction (AVX, BMI)"},
    {{0xc5}, 1, "a VEX instruction (AVX)"},
    {{0x62}, 1, "an EVEX instruction (AVX-512)"},
};

/// The instruction's name when it is a known offender; prefixes are skipped.
std::string_view name_instruction(std::span<std::uint8_t const> bytes) {
    constexpr std::array<std::uint8_t, 11> prefixes = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e,
                                                       0x36, 0x3e, 0x26, 0x64, 0x65};
    while (!bytes.empty() &&
           (std::find(prefixes.begin(), prefixes.end(), bytes[0]) != prefixes.end() ||
            (bytes[0] & 0xf0U) == 0x40)) // REX
        bytes = bytes.subspan(1);
    for (Pattern const& pattern : k_patterns)
        if (bytes.size() >= pattern.length &&
            std::equal(pattern.bytes.begin(),
                       pattern.bytes.begin() + static_cast<std::ptrdiff_t>(pattern.length),
                       bytes.begin()))
            return pattern.name;
    return {};
}

Error death(char const* op, std::string cause, std::string hint,
            std::source_location at = std::source_location::current()) {
    return Error{op, std::move(cause), std::move(hint), 0, exit_code::engine_failed, at};
}

} // namespace

char const* exit_name(std::uint32_t reason) {
    switch (reason) {
    case KVM_EXIT_UNKNOWN:
        return "unknown";
    case KVM_EXIT_EXCEPTION:
        return "exception";
    case KVM_EXIT_IO:
        return "io";
    case KVM_EXIT_HYPERCALL:
        return "hypercall";
    case KVM_EXIT_DEBUG:
        return "debug";
    case KVM_EXIT_HLT:
        return "hlt";
    case KVM_EXIT_MMIO:
        return "mmio";
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return "irq_window_open";
    case KVM_EXIT_SHUTDOWN:
        return "shutdown";
    case KVM_EXIT_FAIL_ENTRY:
        return "fail_entry";
    case KVM_EXIT_INTR:
        return "intr";
    case KVM_EXIT_SET_TPR:
        return "set_tpr";
    case KVM_EXIT_TPR_ACCESS:
        return "tpr_access";
    case KVM_EXIT_NMI:
        return "nmi";
    case KVM_EXIT_INTERNAL_ERROR:
        return "internal_error";
    case KVM_EXIT_SYSTEM_EVENT:
        return "system_event";
    case KVM_EXIT_IOAPIC_EOI:
        return "ioapic_eoi";
    case KVM_EXIT_HYPERV:
        return "hyperv";
    case KVM_EXIT_X86_RDMSR:
        return "rdmsr";
    case KVM_EXIT_X86_WRMSR:
        return "wrmsr";
    case KVM_EXIT_DIRTY_RING_FULL:
        return "dirty_ring_full";
    case KVM_EXIT_X86_BUS_LOCK:
        return "bus_lock";
    case KVM_EXIT_XEN:
        return "xen";
    case KVM_EXIT_NOTIFY:
        return "notify";
    default:
        return "other";
    }
}

Error triple_fault(Vcpu const& vcpu) {
    return death("guest kernel",
                 "triple fault: an exception that its handlers could not take" + where(vcpu),
                 "vmm-mini run --trace, and the address in the kernel's symbol table");
}

Error internal_error(Vcpu const& vcpu) {
    auto const& failure = vcpu.run().emulation_failure;
    if (failure.suberror != KVM_INTERNAL_ERROR_EMULATION)
        return death("ioctl(KVM_RUN)",
                     fmt::format("KVM internal error {}{}", failure.suberror, where(vcpu)),
                     "dmesg | grep -i kvm");
    std::string cause = "KVM cannot emulate an instruction of the guest";
    bool const has_bytes =
        failure.ndata >= 2 &&
        (failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0;
    if (has_bytes) {
        std::size_t const size =
            std::min<std::size_t>(failure.insn_size, sizeof failure.insn_bytes);
        std::span<std::uint8_t const> const bytes(failure.insn_bytes, size);
        if (auto const name = name_instruction(bytes); !name.empty())
            cause += fmt::format(": {}", name);
        cause += ", bytes";
        for (std::uint8_t const byte : bytes)
            cause += fmt::format(" {:02x}", byte);
    }
    return death("ioctl(KVM_RUN)", cause + where(vcpu),
                 "dmesg | grep -i kvm; not using it in ring 0");
}

Error entry_refused(Vcpu const& vcpu) {
    auto const reason = vcpu.run().fail_entry.hardware_entry_failure_reason;
    return death("ioctl(KVM_RUN)",
                 fmt::format("the CPU refused to enter the guest, reason {:#x}{}",
                             std::uint64_t{reason}, where(vcpu)),
                 "dmesg | grep -i kvm");
}

Error outside_of_memory(Vcpu const& vcpu) {
    auto const& mmio = vcpu.run().mmio;
    return death("guest kernel",
                 fmt::format("it {} {} bytes at guest-physical {:#x}, where there is no memory{}{}",
                             mmio.is_write != 0 ? "wrote" : "read", std::uint32_t{mmio.len},
                             std::uint64_t{mmio.phys_addr},
                             mmio.is_write != 0 ? " that it may write" : "", where(vcpu)),
                 "vmm-mini run --trace");
}

Error unexpected_port(Vcpu const& vcpu) {
    auto const& io = vcpu.run().io;
    return death("guest kernel",
                 fmt::format("it used port {:#x} ({} of {} x {} bytes), where there is no device{}",
                             std::uint16_t{io.port}, io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
                             std::uint32_t{io.count}, unsigned{io.size}, where(vcpu)),
                 fmt::format("the doorbell: one 32-bit out to port {:#x}", ISO_DOORBELL_PORT));
}

Error halted_for_ever(Vcpu const& vcpu) {
    return death("guest kernel", "it halted, and nothing can wake it" + where(vcpu),
                 "vmm-mini run --trace");
}

Error system_event(Vcpu const& vcpu) {
    return death(
        "guest kernel",
        fmt::format("system event {}{}", std::uint32_t{vcpu.run().system_event.type}, where(vcpu)),
        "vmm-mini run --trace");
}

Error unexpected_exit(Vcpu const& vcpu) {
    std::uint32_t const reason = vcpu.run().exit_reason;
    return death("ioctl(KVM_RUN)",
                 fmt::format("exit {} ({}), which vmm-mini never asked for{}", exit_name(reason),
                             reason, where(vcpu)),
                 "dmesg | grep -i kvm");
}

Error run_failed(Vcpu const& vcpu, int code) {
    Error failure{"ioctl(KVM_RUN)", std::strerror(code) + where(vcpu), "dmesg | grep -i kvm", code};
    if (code == EFAULT) {
        failure.cause += ": the guest touched memory that the host could not provide";
        failure.hint = "a file that was not truncated meanwhile, or more free memory on the host";
    }
    return failure;
}

} // namespace iso::vmm
