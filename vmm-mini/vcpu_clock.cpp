#include "vmm-mini/vcpu_clock.hpp"

#include <x86intrin.h>

namespace iso::vmm {

namespace {

constexpr int k_samples = 8;
constexpr std::uint32_t k_msr_tsc = 0x10;

/// Guest TSC - host TSC. Exact where the kernel says it (Linux 5.16, api.rst KVM_VCPU_TSC_OFFSET),
/// else the narrowest of a few brackets around a read of the guest's counter.
Result<std::uint64_t> tsc_offset(Vcpu const& vcpu) {
    std::uint64_t offset = 0;
    kvm_device_attr attribute{};
    attribute.group = KVM_VCPU_TSC_CTRL;
    attribute.attr = KVM_VCPU_TSC_OFFSET;
    attribute.addr = reinterpret_cast<std::uint64_t>(&offset);
    if (::ioctl(vcpu.fd.get(), KVM_GET_DEVICE_ATTR, &attribute) == 0) return offset;

    std::uint64_t narrowest = ~std::uint64_t{0};
    for (int i = 0; i < k_samples; ++i) {
        std::uint64_t const before = __rdtsc();
        auto const guest = read_msr(vcpu, k_msr_tsc);
        std::uint64_t const after = __rdtsc();
        if (!guest) return error("ioctl(KVM_GET_MSRS)", "the guest has no time-stamp counter");
        if (after - before >= narrowest) continue;
        narrowest = after - before;
        offset = *guest - (before + (after - before) / 2);
    }
    return offset;
}

} // namespace

Result<GuestClock> read_clock(Vcpu const& vcpu) {
    auto const tsc_khz = static_cast<std::uint32_t>(TRY(ISO_KVM(vcpu.fd, KVM_GET_TSC_KHZ, 0)));
    if (tsc_khz == 0) return error("ioctl(KVM_GET_TSC_KHZ)", "the counter's frequency is unknown");
    return make_clock(tsc_khz, TRY(tsc_offset(vcpu)));
}

} // namespace iso::vmm
