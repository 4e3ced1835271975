// System calls about time.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/time.h>
#include <linux/times.h>

namespace iso::guest {

namespace {

constexpr u64 k_second = 1'000'000'000;

struct TimeSpec {
    i64 seconds, nanoseconds;
};

TimeSpec time_spec(u64 ns) {
    return {static_cast<i64>(ns / k_second), static_cast<i64>(ns % k_second)};
}

bool read_clock(u64 clock, u64& ns) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        ns = clock::realtime_ns();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        ns = clock::monotonic_ns();
        return true;
    // The machine runs nothing else: elapsed time is the process's.
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        ns = clock::monotonic_ns() - boot_info().clock_ns;
        return true;
    default:
        return false;
    }
}

Result sleep(UserAddr request, bool absolute, bool realtime) {
    TimeSpec wanted;
    if (Result const result = get_user(wanted, request); result != 0) return result;
    if (wanted.seconds < 0 || static_cast<u64>(wanted.nanoseconds) >= k_second) return -EINVAL;
    u64 const longest = ~0ull / 4;
    u64 const seconds = static_cast<u64>(wanted.seconds);
    u64 ns = seconds > longest / k_second
                 ? longest
                 : seconds * k_second + static_cast<u64>(wanted.nanoseconds);
    if (!absolute) {
        ns += clock::monotonic_ns();
    } else if (realtime) {
        auto const offset = static_cast<u64>(boot_info().clock_realtime_offset);
        ns = ns > offset ? ns - offset : 0;
    }
    clock::sleep_until(ns);
    return 0;
}

} // namespace

Result sys_clock_gettime(u64 clock, u64 to) {
    u64 ns = 0;
    return read_clock(clock, ns) ? put_user(to, time_spec(ns)) : -EINVAL;
}

Result sys_clock_getres(u64 clock, u64 to) {
    u64 ns = 0;
    if (!read_clock(clock, ns)) return -EINVAL;
    return to != 0 ? put_user(to, TimeSpec{0, 1}) : 0;
}

Result sys_clock_nanosleep(u64 clock, u64 flags, u64 request, u64) {
    constexpr u64 k_absolute = 1; // TIMER_ABSTIME
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    return sleep(request, (flags & k_absolute) != 0, clock == CLOCK_REALTIME);
}

Result sys_nanosleep(u64 request, u64) {
    return sleep(request, false, false);
}

Result sys_gettimeofday(u64 to, u64 zone) {
    u64 const ns = clock::realtime_ns();
    if (to != 0) {
        TimeSpec value = time_spec(ns);
        value.nanoseconds /= 1000; // struct timeval: microseconds
        if (Result const result = put_user(to, value); result != 0) return result;
    }
    return zone != 0 ? put_user(zone, u64{0}) : 0;
}

Result sys_time(u64 to) {
    auto const seconds = static_cast<i64>(clock::realtime_ns() / k_second);
    if (to != 0)
        if (Result const result = put_user(to, seconds); result != 0) return result;
    return seconds;
}

Result sys_times(u64 to) {
    u64 const ticks = (clock::monotonic_ns() - boot_info().clock_ns) / 10'000'000; // AT_CLKTCK 100
    struct tms value = {};
    value.tms_utime = static_cast<long>(ticks);
    if (to != 0)
        if (Result const result = put_user(to, value); result != 0) return result;
    return static_cast<Result>(ticks);
}

} // namespace iso::guest
