#pragma once

#include <cstddef>
#include <span>

namespace iso::pv {

/// The freestanding programs embedded in this one.
std::span<std::byte const> user_stub_image();
std::span<std::byte const> kernel_stub_image();
std::span<std::byte const> guest_kernel_image();

} // namespace iso::pv
