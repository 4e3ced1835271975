#include "paravirt-demo/images.hpp"

extern "C" {
extern std::byte const iso_pv_user_stub_begin[], iso_pv_user_stub_end[];
extern std::byte const iso_pv_kernel_stub_begin[], iso_pv_kernel_stub_end[];
extern std::byte const iso_pv_guest_kernel_begin[], iso_pv_guest_kernel_end[];
}

namespace iso::pv {

std::span<std::byte const> user_stub_image() {
    return {iso_pv_user_stub_begin, iso_pv_user_stub_end};
}
std::span<std::byte const> kernel_stub_image() {
    return {iso_pv_kernel_stub_begin, iso_pv_kernel_stub_end};
}
std::span<std::byte const> guest_kernel_image() {
    return {iso_pv_guest_kernel_begin, iso_pv_guest_kernel_end};
}

} // namespace iso::pv
