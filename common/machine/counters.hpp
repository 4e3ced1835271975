#pragma once

#include "common/machine/doorbell.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/report.hpp"
#include "common/run_options.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace iso {

using Counters = std::map<std::string, std::uint64_t>;

/// What the guest kernel counted (struct iso_counters): `guest.syscalls`, `guest.syscall.NAME`,
/// `guest.page_faults`, ... The guest could lie: these are its numbers, not ours.
void add_guest_counters(Counters& counters, GuestMemory const& memory);

/// How often each operation of the doorbell was asked for: `doorbell.OPERATION`.
void add_doorbell_counters(Counters& counters, Doorbell const& doorbell);

/// The table of --stats, or its JSON.
std::string format_stats(RunReport const& report, StatsFormat format);

} // namespace iso
