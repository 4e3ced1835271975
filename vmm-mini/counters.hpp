#pragma once

#include "common/report.hpp"
#include "common/run_options.hpp"
#include "vmm-mini/doorbell.hpp"
#include "vmm-mini/exit_loop.hpp"
#include "vmm-mini/guest_memory.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace iso::vmm {

using Counters = std::map<std::string, std::uint64_t>;

/// What the guest kernel counted (struct iso_counters): `guest.syscalls`, `guest.syscall.NAME`,
/// `guest.page_faults`, ... The guest could lie: these are its numbers, not ours.
void add_guest_counters(Counters& counters, GuestMemory const& memory);

/// What the engine counted: `exit.REASON` and `doorbell.OPERATION`.
void add_engine_counters(Counters& counters, ExitCounts const& exits, Doorbell const& doorbell);

/// rusage of this process, which is the virtual machine: `host.minor_faults`, ...
void add_host_counters(Counters& counters);

/// The table of --stats, or its JSON.
std::string format_stats(RunReport const& report, StatsFormat format);

} // namespace iso::vmm
