// System calls about the process itself and the machine.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

#include <asm/prctl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

namespace iso::guest {

Result sys_exit(u64 status) {
    current().exit(static_cast<int>(status));
}
Result sys_getpid() {
    return current().pid;
}
Result sys_getppid() {
    return current().parent_pid;
}
Result sys_getuid() {
    return boot_info().host_uid;
}
Result sys_getgid() {
    return boot_info().host_gid;
}
Result sys_getgroups(u64, u64) {
    return 0;
}
Result sys_getpgrp() {
    return current().pid;
}
Result sys_sched_yield() {
    return 0;
}
Result sys_set_tid_address() {
    return current().pid;
}

Result sys_set_robust_list(u64, u64 length) {
    constexpr u64 k_head_bytes = 24; // struct robust_list_head
    return length == k_head_bytes ? 0 : -EINVAL;
}

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

Result sys_arch_prctl(u64 code, u64 address) {
    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (address >= ISO_USER_HIGH) return -EPERM;
        code == ARCH_SET_FS ? port::set_fs_base(address) : port::set_gs_base(address);
        return 0;
    case ARCH_GET_FS:
        return put_user(address, port::fs_base());
    case ARCH_GET_GS:
        return put_user(address, port::gs_base());
    default:
        return -EINVAL;
    }
}

Result sys_sched_getaffinity(u64 pid, u64 bytes, u64 to) {
    if (pid != 0 && pid != current().pid) return -ESRCH;
    if (bytes < 8 || bytes % 8 != 0) return -EINVAL;
    Result const result = put_user(to, u64{1});
    return result != 0 ? result : 8;
}

Result sys_getrandom(u64 to, u64 bytes, u64 flags) {
    constexpr u64 k_known_flags = 7; // GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE
    if ((flags & ~k_known_flags) != 0) return -EINVAL;
    return random_out(to, bytes);
}

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
        return {1, 1};
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
    if (pid != 0 && pid != current().pid) return -ESRCH;
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

Result sys_getrusage(u64 who, u64 to) {
    if (static_cast<int>(who) != RUSAGE_SELF && static_cast<int>(who) != RUSAGE_CHILDREN &&
        static_cast<int>(who) != RUSAGE_THREAD)
        return -EINVAL;
    struct rusage usage = {};
    if (static_cast<int>(who) != RUSAGE_CHILDREN) {
        // The machine runs nothing else: elapsed time is used time.
        u64 const ns = clock::monotonic_ns() - boot_info().clock_ns;
        usage.ru_utime.tv_sec = static_cast<long>(ns / 1'000'000'000);
        usage.ru_utime.tv_usec = static_cast<long>(ns % 1'000'000'000 / 1000);
        usage.ru_maxrss = static_cast<long>(frames.most_used() * (k_page / 1024));
        usage.ru_minflt = static_cast<long>(linear<iso_counters>(ISO_COUNTERS_GPA)->page_faults);
    }
    return put_user(to, usage);
}

Result sys_sysinfo(u64 to) {
    struct sysinfo info = {};
    info.uptime = static_cast<long>(clock::monotonic_ns() / 1'000'000'000);
    info.totalram = frames.total();
    info.freeram = frames.available();
    info.mem_unit = k_page;
    info.procs = 1;
    return put_user(to, info);
}

// Made when it is asked for: few programs do.
static void name_after_file(Process& process) {
    Text const path = module_path(boot_modules()[0]);
    u64 start = path.size;
    while (start > 0 && path[start - 1] != '/')
        --start;
    copy_small(process.name, path.data + start,
               smaller<u64>(path.size - start, sizeof process.name - 1));
    process.named = true;
}

Result sys_prctl(u64 option, u64 argument) {
    Process& process = current();
    switch (option) {
    case PR_SET_NAME: {
        char name[16] = {};
        Result const result = copy_string(name, argument, sizeof name);
        if (result < 0 && result != -ENAMETOOLONG) return result;
        name[15] = 0;
        copy_small(process.name, name, sizeof name);
        process.named = true;
        return 0;
    }
    case PR_GET_NAME:
        if (!process.named) name_after_file(process);
        return copy_out(argument, process.name, sizeof process.name);
    case PR_SET_PDEATHSIG:
        return argument > k_signals ? -EINVAL : 0; // the parent never dies first
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
        return argument > 1 ? -EINVAL : 0;
    case PR_SET_NO_NEW_PRIVS:
        return argument == 1 ? 0 : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
        return 1;
    default:
        return -EINVAL;
    }
}

} // namespace iso::guest
