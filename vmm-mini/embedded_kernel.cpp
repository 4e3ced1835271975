#include "vmm-mini/embedded_kernel.hpp"

#include "common/machine/kernel_image.hpp"

extern "C" {
extern std::byte const iso_vmm_kernel_start[];
extern std::byte const iso_vmm_kernel_end[];
}

namespace iso::vmm {

std::span<std::byte const> embedded_kernel() {
    return {iso_vmm_kernel_start,
            static_cast<std::size_t>(iso_vmm_kernel_end - iso_vmm_kernel_start)};
}

} // namespace iso::vmm
