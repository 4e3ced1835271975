#pragma once

#include <cstdint>

#include <linux/kvm.h>
#include <sys/ioctl.h>

namespace iso::vmm {

// KVM's structures that end in a flexible array, and the requests that take them, written out.
//
// <linux/kvm.h> declares such arrays beside an empty structure, which has size 0 in C and 1 in C++.
// With the headers of Linux 6.1 that shifts the array and, as a request's number holds the size of
// its argument, makes a request that no kernel knows. These are the sizes of the C ABI.

struct CpuidHeader { ///< struct kvm_cpuid2; followed by kvm_cpuid_entry2[count]
    std::uint32_t count = 0;
    std::uint32_t padding = 0;
};

struct MsrsHeader { ///< struct kvm_msrs; followed by kvm_msr_entry[count]
    std::uint32_t count = 0;
    std::uint32_t padding = 0;
};

struct StatsDescriptor { ///< struct kvm_stats_desc; followed by the name
    std::uint32_t flags = 0;
    std::int16_t exponent = 0;
    std::uint16_t size = 0;
    std::uint32_t offset = 0;
    std::uint32_t bucket_size = 0;
};

static_assert(sizeof(CpuidHeader) == 8 && sizeof(MsrsHeader) == 8 && sizeof(StatsDescriptor) == 16);

inline constexpr unsigned long k_get_supported_cpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
inline constexpr unsigned long k_set_cpuid2 = _IOW(KVMIO, 0x90, CpuidHeader);
inline constexpr unsigned long k_get_msrs = _IOWR(KVMIO, 0x88, MsrsHeader);

} // namespace iso::vmm
