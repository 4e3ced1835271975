// System calls about time.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

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
    case CLOCK_PROCESS_CPUTIME_ID:
        ns = clock::ns_of_cycles(current().cycles_used());
        return true;
    case CLOCK_THREAD_CPUTIME_ID: {
        Thread const& thread = this_thread();
        ns = clock::ns_of_cycles(thread.cycles + port::cycles() - thread.cycles_at_start);
        return true;
    }
    default:
        return false;
    }
}

Result sleep(u64 deadline, UserAddr remaining) {
    WaitQueue nobody;
    if (block(nobody, deadline) != Woken::signal) return 0;
    if (remaining != 0) {
        u64 const now = clock::monotonic_ns();
        TimeSpec const left = time_spec(deadline > now ? deadline - now : 0);
        if (Result const result = put_user(remaining, left); result != 0) return result;
    }
    return this_thread().go_on_with(
        [](u64 const(&argument)[4]) { return sleep(argument[0], argument[1]); }, deadline,
        remaining, 0);
}

} // namespace

Result sys_restart_syscall() {
    Thread::Remainder const& rest = this_thread().remainder;
    return rest.call != nullptr ? rest.call(rest.argument) : -EINTR;
}

Result deadline_in(UserAddr time, bool absolute, bool realtime, u64& deadline) {
    TimeSpec wanted;
    if (Result const result = get_user(wanted, time); result != 0) return result;
    if (wanted.seconds < 0 || static_cast<u64>(wanted.nanoseconds) >= k_second) return -EINVAL;
    u64 const longest = ~0ull / 4;
    u64 const seconds = static_cast<u64>(wanted.seconds);
    deadline = seconds > longest / k_second
                   ? longest
                   : seconds * k_second + static_cast<u64>(wanted.nanoseconds);
    if (!absolute) {
        deadline += clock::monotonic_ns();
    } else if (realtime) {
        auto const offset = static_cast<u64>(boot_info().clock_realtime_offset);
        deadline = deadline > offset ? deadline - offset : 0;
    }
    return 0;
}

Result sys_clock_gettime(u64 clock, u64 to) {
    u64 ns = 0;
    return read_clock(clock, ns) ? put_user(to, time_spec(ns)) : -EINVAL;
}

Result sys_clock_getres(u64 clock, u64 to) {
    u64 ns = 0;
    if (!read_clock(clock, ns)) return -EINVAL;
    return to != 0 ? put_user(to, TimeSpec{0, 1}) : 0;
}

Result sys_clock_nanosleep(u64 clock, u64 flags, u64 request, u64 remaining) {
    constexpr u64 k_absolute = 1; // TIMER_ABSTIME
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    bool const absolute = (flags & k_absolute) != 0;
    u64 deadline = 0;
    Result const result = deadline_in(request, absolute, clock == CLOCK_REALTIME, deadline);
    if (result != 0) return result;
    Result const slept = sleep(deadline, absolute ? 0 : remaining);
    return slept == -k_restart_remainder && absolute ? -k_restart_unhandled : slept;
}

Result sys_nanosleep(u64 request, u64 remaining) {
    return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);
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
    auto const ticks = [](u64 ns) { return static_cast<long>(ns / 10'000'000); }; // AT_CLKTCK 100
    struct tms value = {};
    value.tms_utime = ticks(clock::ns_of_cycles(current().cycles_used()));
    value.tms_cutime = ticks(clock::ns_of_cycles(current().children_cycles));
    if (to != 0)
        if (Result const result = put_user(to, value); result != 0) return result;
    return ticks(clock::monotonic_ns() - boot_info().clock_ns);
}

namespace {

struct TimeValue {
    i64 seconds, microseconds;
};
struct IntervalTimer {
    TimeValue interval, value;
};

u64 ns_of(TimeValue const& value) {
    return static_cast<u64>(value.seconds) * k_second + static_cast<u64>(value.microseconds) * 1000;
}

TimeValue time_value(u64 ns) {
    return {static_cast<i64>(ns / k_second), static_cast<i64>(ns % k_second / 1000)};
}

bool is_valid(TimeValue const& value) {
    constexpr i64 longest = 1'000'000'000; // thirty years
    return value.seconds >= 0 && value.seconds <= longest && value.microseconds >= 0 &&
           value.microseconds < 1'000'000;
}

void ring_alarm(Timer& timer) {
    auto* const process = reinterpret_cast<Process*>(reinterpret_cast<u64>(&timer) -
                                                     __builtin_offsetof(Process, alarm));
    constexpr int k_alarm = 14; // SIGALRM
    constexpr int k_kernel = 0x80;
    send_signal(*process, k_alarm, {.code = k_kernel});
    if (process->alarm_interval != 0)
        timers.set(timer, clock::monotonic_ns() + process->alarm_interval);
}

IntervalTimer alarm_now() {
    Process const& process = current();
    u64 left = 0;
    if (process.alarm.deadline != k_never) {
        u64 const now = clock::monotonic_ns();
        left = process.alarm.deadline > now ? process.alarm.deadline - now : 1000;
    }
    return {time_value(process.alarm_interval), time_value(left)};
}

void set_alarm(u64 ns, u64 interval) {
    Process& process = current();
    process.alarm.fire = ring_alarm;
    process.alarm_interval = interval;
    timers.set(process.alarm, ns == 0 ? k_never : clock::monotonic_ns() + ns);
    iso_work_pending = 1; // the machine's timer may have to go off earlier
}

} // namespace

Result sys_alarm(u64 seconds) {
    IntervalTimer const old = alarm_now();
    set_alarm(static_cast<u32>(seconds) * k_second, 0);
    return old.value.seconds + (old.value.microseconds != 0);
}

Result sys_setitimer(u64 which, u64 set, u64 get) {
    if (which != ITIMER_REAL) return -EINVAL; // processor time is not watched
    IntervalTimer wanted = {};
    if (set != 0)
        if (Result const result = get_user(wanted, set); result != 0) return result;
    if (!is_valid(wanted.interval) || !is_valid(wanted.value)) return -EINVAL;
    if (get != 0)
        if (Result const result = put_user(get, alarm_now()); result != 0) return result;
    set_alarm(ns_of(wanted.value), ns_of(wanted.interval));
    return 0;
}

Result sys_getitimer(u64 which, u64 to) {
    return which != ITIMER_REAL ? -EINVAL : put_user(to, alarm_now());
}

} // namespace iso::guest
