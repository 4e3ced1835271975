#include "common/machine/guest_clock.hpp"

#include "common/clock.hpp"

#include <algorithm>
#include <ctime>
#include <x86intrin.h>

#include <sys/timex.h>

namespace iso {

namespace {

constexpr std::uint64_t k_ns_per_ms = 1'000'000;
constexpr int k_samples = 8;

__extension__ using uint128 = unsigned __int128;
__extension__ using int128 = __int128;

/// Host TSC and CLOCK_MONOTONIC of the same moment: the narrowest of a few brackets, some 20 ns.
struct Moment {
    std::uint64_t tsc = 0;
    std::uint64_t ns = 0;
};

Moment sample() {
    Moment best;
    std::uint64_t narrowest = ~std::uint64_t{0};
    for (int i = 0; i < k_samples; ++i) {
        std::uint64_t const before = __rdtsc();
        std::uint64_t const ns = monotonic_ns();
        std::uint64_t const after = __rdtsc();
        if (after - before < narrowest) {
            narrowest = after - before;
            best = {before + (after - before) / 2, ns};
        }
    }
    return best;
}

/// The multiplier that the kernel's own clock uses: nanoseconds per cycle, rounded to `shift` bits,
/// where the shift is the largest that keeps ten minutes of cycles from overflowing 64 bits
/// (Linux, Documentation/timers/timekeeping.rst, "Clock sources").
TscRate kernel_rate(std::uint64_t tsc_khz) {
    std::uint64_t const longest = std::uint64_t{600} * 1000 * tsc_khz >> 32U;
    unsigned bits = 32;
    for (std::uint64_t rest = longest; rest != 0; rest >>= 1U)
        --bits;
    for (std::uint32_t shift = 32; shift > 0; --shift) {
        std::uint64_t const multiplier = ((k_ns_per_ms << shift) + tsc_khz / 2) / tsc_khz;
        if (multiplier >> bits == 0) return {static_cast<std::uint32_t>(multiplier), shift};
    }
    return {static_cast<std::uint32_t>(k_ns_per_ms / tsc_khz), 0};
}

} // namespace

TscRate clock_rate(std::uint32_t tsc_khz, std::int64_t ntp_frequency) {
    TscRate const kernel = kernel_rate(tsc_khz);
    // As fine as 32 bits allow: the slewed rate lies between two of the kernel's own steps.
    constexpr std::int64_t k_one = std::int64_t{65536} * 1'000'000; // 1.0 in 1/65536 ppm
    std::int64_t const slew =
        k_one + std::clamp<std::int64_t>(ntp_frequency, -k_one / 2, k_one / 2);
    for (std::uint32_t shift = 32;; --shift) {
        uint128 const exact = (static_cast<uint128>(kernel.multiplier) << shift) >> kernel.shift;
        uint128 const slewed = exact * static_cast<uint128>(slew) / static_cast<uint128>(k_one);
        if (slewed >> 32U == 0 || shift == 0) return {static_cast<std::uint32_t>(slewed), shift};
    }
}

std::uint64_t GuestClock::at(std::uint64_t tsc) const {
    auto const cycles = static_cast<std::int64_t>(tsc - base_tsc);
    auto const ns = static_cast<int128>(cycles) * multiplier >> shift;
    return base_ns + static_cast<std::uint64_t>(ns);
}

std::int64_t GuestClock::error_now() const {
    Moment const now = sample();
    return static_cast<std::int64_t>(at(now.tsc + tsc_offset) - now.ns);
}

Result<GuestClock> make_clock(std::uint32_t tsc_khz, std::uint64_t tsc_offset) {
    GuestClock clock;
    clock.tsc_khz = tsc_khz;
    clock.tsc_offset = tsc_offset;
    timex ntp{}; // modes 0: read only
    if (::adjtimex(&ntp) < 0) return sys_error("adjtimex");
    TscRate const rate = clock_rate(clock.tsc_khz, ntp.freq);
    clock.multiplier = rate.multiplier;
    clock.shift = rate.shift;

    timespec realtime{};
    ::clock_gettime(CLOCK_REALTIME, &realtime);
    clock.realtime_offset = static_cast<std::int64_t>(realtime.tv_sec) * 1'000'000'000 +
                            realtime.tv_nsec - static_cast<std::int64_t>(monotonic_ns());
    Moment const now = sample();
    clock.base_ns = now.ns;
    clock.base_tsc = now.tsc + clock.tsc_offset;
    return clock;
}

Result<GuestClock> read_host_clock() {
    // Two moments far enough apart that their own error is a few parts per million of the rate,
    // which is then one of the kernel's own: a whole number of kHz.
    constexpr std::uint64_t k_apart_ns = 400'000;
    Moment const first = sample();
    Moment last = sample();
    while (last.ns - first.ns < k_apart_ns)
        last = sample();
    GuestClock clock = TRY(make_clock(1'000'000, 0));
    // The slope as measured; the host's own clock is read again at every start, so what is left of
    // the error grows only with the run.
    uint128 const scaled =
        (static_cast<uint128>(last.ns - first.ns) << 32U) / (last.tsc - first.tsc);
    if (scaled >> 32U != 0) return error("clock", "the time-stamp counter is slower than 1 GHz");
    clock.multiplier = static_cast<std::uint32_t>(scaled);
    clock.shift = 32;
    clock.tsc_khz =
        static_cast<std::uint32_t>((last.tsc - first.tsc) * k_ns_per_ms / (last.ns - first.ns));
    return clock;
}

} // namespace iso
