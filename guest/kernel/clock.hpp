#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest::clock {

/// CLOCK_MONOTONIC of the host, in nanoseconds.
u64 monotonic_ns();
u64 realtime_ns();
/// Sleeps until that time of monotonic_ns().
void sleep_until(u64 monotonic_ns);

} // namespace iso::guest::clock
