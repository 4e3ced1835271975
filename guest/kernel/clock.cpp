#include "guest/kernel/clock.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::clock {

__extension__ using Wide = unsigned __int128;

u64 monotonic_ns() {
    iso_boot_info const& boot = boot_info();
    u64 const elapsed = port::cycles() - boot.clock_tsc;
    auto const scaled = static_cast<Wide>(elapsed) * boot.clock_multiplier;
    return boot.clock_ns + static_cast<u64>(scaled >> boot.clock_shift);
}

u64 ns_of_cycles(u64 cycles) {
    iso_boot_info const& boot = boot_info();
    return static_cast<u64>(static_cast<Wide>(cycles) * boot.clock_multiplier >> boot.clock_shift);
}

u64 realtime_ns() {
    return monotonic_ns() + static_cast<u64>(boot_info().clock_realtime_offset);
}

bool sleep_until(u64 deadline, bool or_input) {
    iso_doorbell& page = port::request();
    page.argument[0] = deadline;
    page.argument[1] = or_input;
    return port::ring(ISO_OP_SLEEP) == 1;
}

} // namespace iso::guest::clock
