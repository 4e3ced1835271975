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

} // namespace iso
