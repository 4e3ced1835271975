#pragma once

#include "common/machine/guest_clock.hpp"
#include "vmm-mini/kvm.hpp"

namespace iso::vmm {

/// Reads the clock for a guest that is about to start on this vCPU.
Result<GuestClock> read_clock(Vcpu const& vcpu);

} // namespace iso::vmm
