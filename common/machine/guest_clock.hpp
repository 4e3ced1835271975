#pragma once

#include "common/result.hpp"

#include <cstdint>

namespace iso {

/// How the guest turns its time-stamp counter into the host's CLOCK_MONOTONIC:
/// ns = base_ns + ((tsc - base_tsc) * multiplier >> shift), the product taken in 128 bits.
struct GuestClock {
    std::uint64_t base_ns = 0;
    std::uint64_t base_tsc = 0; ///< in the guest's TSC
    std::uint32_t multiplier = 0;
    std::uint32_t shift = 0;
    std::int64_t realtime_offset = 0; ///< CLOCK_REALTIME - CLOCK_MONOTONIC, ns
    std::uint64_t tsc_offset = 0;     ///< guest TSC - host TSC, modulo 2^64
    std::uint32_t tsc_khz = 0;

    /// What the guest's clock shows when its TSC reads `tsc`.
    [[nodiscard]] std::uint64_t at(std::uint64_t tsc) const;
    /// How far the guest's clock is from the host's now. Units: ns.
    [[nodiscard]] std::int64_t error_now() const;
};

/// Nanoseconds per TSC cycle as multiplier / 2^shift.
struct TscRate {
    std::uint32_t multiplier = 0;
    std::uint32_t shift = 0;
};

/// The rate at which the host's CLOCK_MONOTONIC advances per TSC cycle, without measuring it: the
/// kernel derives its own clock from the same whole number of kHz that KVM reports, rounds it to a
/// multiplier, and then slews it by the NTP frequency that adjtimex(2) shows.
/// Measured against the clock: within 0.01 ppm. Units: kHz; 1/65536 ppm.
TscRate clock_rate(std::uint32_t tsc_khz, std::int64_t ntp_frequency);

/// The clock of a guest that is about to start. Units: kHz; guest TSC - host TSC.
Result<GuestClock> make_clock(std::uint32_t tsc_khz, std::uint64_t tsc_offset);

/// The same where the guest's counter is the host's and nobody says how fast it runs: measured.
Result<GuestClock> read_host_clock();

} // namespace iso
