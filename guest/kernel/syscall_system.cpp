// System calls about the machine, and what a process may use of it.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

namespace iso::guest {

Result sys_uname(u64 to) {
    static constexpr new_utsname k_names = {
        .sysname = "Linux", // whose system calls these are
        .nodename = "isolab",
        .release = "6.1.0-isolab",
        .version = "isolab guest kernel",
        .machine = "x86_64",
        .domainname = "(none)",
    };
    return put_user(to, k_names);
}

Result sys_getrandom(u64 to, u64 bytes, u64 flags) {
    constexpr u64 k_known_flags = 7; // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE
    if ((flags & ~k_known_flags) != 0) return -EINVAL;
    return random_out(to, bytes);
}

// ---- The processor: there is one
// -------------------------------------------------------------------

Result sys_sched_yield() {
    scheduler::yield();
    return 0;
}

namespace {

bool exists(u64 pid) {
    return pid == 0 || find_thread(static_cast<u32>(pid)) != nullptr;
}

} // namespace

Result sys_sched_getaffinity(u64 pid, u64 bytes, u64 to) {
    if (!exists(pid)) return -ESRCH;
    if (bytes < 8 || bytes % 8 != 0) return -EINVAL;
    Result const result = put_user(to, u64{1});
    return result != 0 ? result : 8;
}

Result sys_sched_setaffinity(u64 pid, u64 bytes, u64 from) {
    if (!exists(pid)) return -ESRCH;
    u64 wanted = 0;
    if (Result const result = copy_in(&wanted, from, smaller<u64>(bytes, sizeof wanted));
        result != 0)
        return result;
    return (wanted & 1) != 0 ? 0 : -EINVAL;
}

Result sys_sched_getscheduler(u64 pid) {
    return exists(pid) ? 0 : -ESRCH; // SCHED_OTHER
}

Result sys_sched_getparam(u64 pid, u64 to) {
    if (to == 0) return -EINVAL;
    return exists(pid) ? put_user(to, u32{0}) : -ESRCH;
}

// Every thread has the same turn: how nice a process is, is kept for those who ask.
Result sys_getpriority(u64 which, u64 who) {
    constexpr Result k_nice_zero = 20; // getpriority(2), C library/kernel differences
    if (which > 2) return -EINVAL;
    Process const* const process =
        which == 0 && who != 0 ? Process::find(static_cast<u32>(who)) : &current();
    return process != nullptr ? k_nice_zero - process->nice : -ESRCH;
}

Result sys_setpriority(u64 which, u64 who, u64 value) {
    constexpr int k_least = -20, k_most = 19;
    if (which > 2) return -EINVAL;
    Process* const process =
        which == 0 && who != 0 ? Process::find(static_cast<u32>(who)) : &current();
    if (process == nullptr) return -ESRCH;
    int const wanted = static_cast<int>(value);
    int const nice = wanted < k_least ? k_least : wanted > k_most ? k_most : wanted;
    if (nice < process->nice && boot_info().host_uid != 0) return -EACCES;
    process->nice = nice;
    return 0;
}

Result sys_getcpu(u64 cpu, u64 node) {
    if (cpu != 0)
        if (Result const result = put_user(cpu, u32{0}); result != 0) return result;
    return node != 0 ? put_user(node, u32{0}) : 0;
}

// ---- Limits, and what was used
// ---------------------------------------------------------------------

namespace {

struct Limit {
    u64 now, most;
};

Limit limit_of(u64 resource) {
    switch (resource) {
    case RLIMIT_STACK:
        return {AddressSpace::k_stack_bytes, AddressSpace::k_stack_bytes};
    case RLIMIT_NOFILE:
        return {FileTable::k_files, FileTable::k_files};
    case RLIMIT_NPROC:
        return {Process::k_processes_max, Process::k_processes_max};
    case RLIMIT_CORE:
    case RLIMIT_MEMLOCK:
    case RLIMIT_NICE:
    case RLIMIT_RTPRIO:
        return {0, 0};
    default:
        return {~0ull, ~0ull};
    }
}

} // namespace

Result sys_prlimit64(u64 pid, u64 resource, u64 to_set, u64 to_get) {
    if (pid != 0 && Process::find(static_cast<u32>(pid)) == nullptr) return -ESRCH;
    if (resource >= RLIM_NLIMITS) return -EINVAL;
    if (to_set != 0) {
        Limit wanted;
        if (Result const result = get_user(wanted, to_set); result != 0) return result;
        if (wanted.now > wanted.most) return -EINVAL;
        Limit const limit = limit_of(resource);
        if (wanted.now != limit.now || wanted.most != limit.most) return -EPERM; // they are fixed
    }
    return to_get != 0 ? put_user(to_get, limit_of(resource)) : 0;
}

Result sys_getrlimit(u64 resource, u64 to) {
    return resource >= RLIM_NLIMITS ? -EINVAL : put_user(to, limit_of(resource));
}

Result sys_setrlimit(u64 resource, u64 from) {
    return sys_prlimit64(0, resource, from, 0);
}

Result sys_getrusage(u64 who, u64 to) {
    struct rusage usage = {};
    u64 cycles = 0;
    switch (static_cast<int>(who)) {
    case RUSAGE_SELF:
        cycles = current().cycles_used();
        break;
    case RUSAGE_THREAD:
        cycles = this_thread().cycles;
        break;
    case RUSAGE_CHILDREN:
        cycles = current().children_cycles;
        break;
    default:
        return -EINVAL;
    }
    u64 const ns = clock::ns_of_cycles(cycles);
    usage.ru_utime.tv_sec = static_cast<long>(ns / 1'000'000'000);
    usage.ru_utime.tv_usec = static_cast<long>(ns % 1'000'000'000 / 1000);
    if (static_cast<int>(who) != RUSAGE_CHILDREN) {
        usage.ru_maxrss = static_cast<long>(frames.most_used() * (k_page / 1024));
        usage.ru_minflt = static_cast<long>(current().faults);
    }
    return put_user(to, usage);
}

Result sys_sysinfo(u64 to) {
    struct sysinfo info = {};
    info.uptime = static_cast<long>(clock::monotonic_ns() / 1'000'000'000);
    info.totalram = frames.total();
    info.freeram = frames.available();
    info.mem_unit = k_page;
    info.procs = static_cast<u16>(Process::count());
    return put_user(to, info);
}

} // namespace iso::guest
