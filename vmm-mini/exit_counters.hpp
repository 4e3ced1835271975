#pragma once

#include "common/machine/counters.hpp"
#include "vmm-mini/exit_loop.hpp"

namespace iso::vmm {

/// Returns of KVM_RUN by reason: `exit.REASON`.
void add_exit_counters(Counters& counters, ExitCounts const& exits);

/// rusage of this process, which is the virtual machine: `host.minor_faults`, ...
void add_host_counters(Counters& counters);

} // namespace iso::vmm
