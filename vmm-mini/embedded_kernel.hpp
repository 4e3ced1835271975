#pragma once

#include <cstddef>
#include <span>

namespace iso::vmm {

/// The guest kernel built into this program; empty when it was built without one.
std::span<std::byte const> embedded_kernel();

} // namespace iso::vmm
