#pragma once

#include <cstdint>
#include <ctime>

namespace iso {

/// CLOCK_MONOTONIC in nanoseconds: the time base of every phase in every report.
inline std::uint64_t monotonic_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// For poll(2): the milliseconds until `deadline_ns` of that clock, rounded up; 0 when it is over.
inline int wait_ms(std::uint64_t deadline_ns) {
    std::uint64_t const now = monotonic_ns();
    return now >= deadline_ns ? 0 : static_cast<int>((deadline_ns - now + 999'999) / 1'000'000);
}

} // namespace iso
