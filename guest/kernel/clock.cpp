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

u64 realtime_ns() {
    return monotonic_ns() + static_cast<u64>(boot_info().clock_realtime_offset);
}

void sleep_until(u64 deadline) {
    port::request().argument[0] = deadline;
    port::request().argument[1] = 0;
    port::ring(ISO_OP_SLEEP);
}

} // namespace iso::guest::clock
