#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest::clock {

/// CLOCK_MONOTONIC of the host, in nanoseconds.
u64 monotonic_ns();
u64 realtime_ns();
/// A number of port::cycles() as nanoseconds.
u64 ns_of_cycles(u64 cycles);
/// The whole machine sleeps until that time of monotonic_ns(), ~0 for ever; with `or_input`, until
/// stdin can be read. True when that is why it returns.
bool sleep_until(u64 monotonic_ns, bool or_input);

} // namespace iso::guest::clock
