#pragma once

#include "common/machine/guest_memory.hpp"
#include "common/machine/kernel_image.hpp"
#include "paravirt-demo/stub/boundary.hpp"

namespace iso::pv {

/// What K's stub needs to know: the domain's memory in pieces with the rights that the guest kernel
/// has on each (its code never writable, its data never executable, files read-only), and where to
/// start. Errors: a kernel with more segments than a launch describes.
Result<KernelLaunch> make_launch(KernelImage const& kernel, GuestMemory const& memory);

} // namespace iso::pv
