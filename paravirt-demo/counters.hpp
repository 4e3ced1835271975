#pragma once

#include "common/machine/counters.hpp"
#include "paravirt-demo/control_block.hpp"
#include "paravirt-demo/monitor.hpp"

#include <sys/resource.h>

namespace iso::pv {

/// What crossed the boundary. `hypercall.NAME` and `event.NAME` are counted in the guest kernel's
/// process and are its word; `monitor.*` is counted here.
void add_boundary_counters(Counters& counters, ControlBlock const& block, Monitor const& monitor,
                           Doorbell const& doorbell);

/// rusage of the domain's processes and of this one.
void add_host_counters(Counters& counters, rusage const& children);

} // namespace iso::pv
