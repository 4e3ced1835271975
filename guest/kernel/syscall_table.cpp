// Which number is which call: Linux's x86-64 numbers, one line per call.
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/port/port.hpp"

#include <array>

#include <asm/unistd_64.h>

namespace iso::guest {

namespace {

using Handler = Result (*)(u64, u64, u64, u64, u64, u64);
using Table = std::array<Handler, ISO_COUNTED_SYSCALLS>;

// Gives every call the same type: passes on as many arguments as it takes.
template <auto Call>
struct Adapter;
template <typename... Taken, Result (*Call)(Taken...)>
struct Adapter<Call> {
    static Result call(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
        constexpr auto count = sizeof...(Taken);
        if constexpr (count == 0)
            return Call();
        else if constexpr (count == 1)
            return Call(a);
        else if constexpr (count == 2)
            return Call(a, b);
        else if constexpr (count == 3)
            return Call(a, b, c);
        else if constexpr (count == 4)
            return Call(a, b, c, d);
        else if constexpr (count == 5)
            return Call(a, b, c, d, e);
        else
            return Call(a, b, c, d, e, f);
    }
};
template <auto Call>
constexpr Handler handler = &Adapter<Call>::call;

// What the entry code saved of the call being served: the frame at the top of the kernel stack.
TrapRegisters const& call_registers() {
    return reinterpret_cast<TrapRegisters const*>(port::kernel_stack_top())[-1];
}

Result sys_unknown() {
    u64 const number = smaller<u64>(call_registers().rax, ISO_COUNTED_SYSCALLS - 1);
    linear<iso_counters>(ISO_COUNTERS_GPA)->unknown[number / 32] |= 1u << (number % 32);
    return -ENOSYS;
}

constexpr Table make_table() {
    Table t{};
    t.fill(handler<sys_unknown>);

    t[__NR_read] = handler<sys_read>;
    t[__NR_write] = handler<sys_write>;
    t[__NR_readv] = handler<sys_readv>;
    t[__NR_writev] = handler<sys_writev>;
    t[__NR_pread64] = handler<sys_pread64>;
    t[__NR_pwrite64] = handler<sys_pwrite64>;
    t[__NR_lseek] = handler<sys_lseek>;
    t[__NR_close] = handler<sys_close>;
    t[__NR_dup] = handler<sys_dup>;
    t[__NR_dup2] = handler<sys_dup2>;
    t[__NR_dup3] = handler<sys_dup3>;
    t[__NR_fcntl] = handler<sys_fcntl>;
    t[__NR_ioctl] = handler<sys_ioctl>;
    t[__NR_preadv] = handler<sys_preadv>;
    t[__NR_pwritev] = handler<sys_pwritev>;
    t[__NR_close_range] = handler<sys_close_range>;
    t[__NR_pipe] = handler<sys_pipe>;
    t[__NR_pipe2] = handler<sys_pipe2>;
    t[__NR_getdents64] = handler<sys_getdents64>;
    t[__NR_fallocate] = handler<sys_fallocate>;
    t[__NR_flock] = handler<sys_flock>;
    t[__NR_fsync] = handler<sys_fsync>;
    t[__NR_fdatasync] = handler<sys_fdatasync>;
    t[__NR_msync] = handler<sys_msync>;
    t[__NR_sync_file_range] = handler<sys_sync_file_range>;
    t[__NR_syncfs] = handler<sys_syncfs>;
    t[__NR_sync] = handler<sys_sync>;
    t[__NR_fadvise64] = handler<sys_fadvise64>;
    t[__NR_readahead] = handler<sys_readahead>;

    t[__NR_poll] = handler<sys_poll>;
    t[__NR_ppoll] = handler<sys_ppoll>;
    t[__NR_select] = handler<sys_select>;
    t[__NR_pselect6] = handler<sys_pselect6>;
    t[__NR_epoll_create] = handler<sys_epoll_create>;
    t[__NR_epoll_create1] = handler<sys_epoll_create1>;
    t[__NR_epoll_ctl] = handler<sys_epoll_ctl>;
    t[__NR_epoll_wait] = handler<sys_epoll_wait>;
    t[__NR_epoll_pwait] = handler<sys_epoll_pwait>;
    t[__NR_eventfd] = handler<sys_eventfd>;
    t[__NR_eventfd2] = handler<sys_eventfd2>;

    t[__NR_open] = handler<sys_open>;
    t[__NR_openat] = handler<sys_openat>;
    t[__NR_creat] = handler<sys_creat>;
    t[__NR_access] = handler<sys_access>;
    t[__NR_faccessat] = handler<sys_faccessat>;
    t[__NR_faccessat2] = handler<sys_faccessat2>;
    t[__NR_readlink] = handler<sys_readlink>;
    t[__NR_readlinkat] = handler<sys_readlinkat>;
    t[__NR_getcwd] = handler<sys_getcwd>;
    t[__NR_chdir] = handler<sys_chdir>;
    t[__NR_fchdir] = handler<sys_fchdir>;
    t[__NR_umask] = handler<sys_umask>;

    t[__NR_stat] = handler<sys_stat>;
    t[__NR_lstat] = handler<sys_lstat>;
    t[__NR_fstat] = handler<sys_fstat>;
    t[__NR_newfstatat] = handler<sys_newfstatat>;
    t[__NR_statx] = handler<sys_statx>;
    t[__NR_statfs] = handler<sys_statfs>;
    t[__NR_fstatfs] = handler<sys_fstatfs>;

    t[__NR_mkdir] = handler<sys_mkdir>;
    t[__NR_mkdirat] = handler<sys_mkdirat>;
    t[__NR_mknod] = handler<sys_mknod>;
    t[__NR_mknodat] = handler<sys_mknodat>;
    t[__NR_rmdir] = handler<sys_rmdir>;
    t[__NR_unlink] = handler<sys_unlink>;
    t[__NR_unlinkat] = handler<sys_unlinkat>;
    t[__NR_rename] = handler<sys_rename>;
    t[__NR_renameat] = handler<sys_renameat>;
    t[__NR_renameat2] = handler<sys_renameat2>;
    t[__NR_link] = handler<sys_link>;
    t[__NR_linkat] = handler<sys_linkat>;
    t[__NR_symlink] = handler<sys_symlink>;
    t[__NR_symlinkat] = handler<sys_symlinkat>;

    t[__NR_chmod] = handler<sys_chmod>;
    t[__NR_fchmod] = handler<sys_fchmod>;
    t[__NR_fchmodat] = handler<sys_fchmodat>;
    t[__NR_chown] = handler<sys_chown>;
    t[__NR_lchown] = handler<sys_lchown>;
    t[__NR_fchown] = handler<sys_fchown>;
    t[__NR_fchownat] = handler<sys_fchownat>;
    t[__NR_utimensat] = handler<sys_utimensat>;
    t[__NR_futimesat] = handler<sys_futimesat>;
    t[__NR_utimes] = handler<sys_utimes>;
    t[__NR_utime] = handler<sys_utime>;
    t[__NR_truncate] = handler<sys_truncate>;
    t[__NR_ftruncate] = handler<sys_ftruncate>;

    t[__NR_mmap] = handler<sys_mmap>;
    t[__NR_munmap] = handler<sys_munmap>;
    t[__NR_mprotect] = handler<sys_mprotect>;
    t[__NR_mremap] = handler<sys_mremap>;
    t[__NR_madvise] = handler<sys_madvise>;
    t[__NR_brk] = handler<sys_brk>;

    t[__NR_exit] = handler<sys_exit>;
    t[__NR_exit_group] = handler<sys_exit_group>;
    t[__NR_getpid] = handler<sys_getpid>;
    t[__NR_gettid] = handler<sys_gettid>;
    t[__NR_getppid] = handler<sys_getppid>;
    t[__NR_getuid] = handler<sys_getuid>;
    t[__NR_geteuid] = handler<sys_getuid>;
    t[__NR_getgid] = handler<sys_getgid>;
    t[__NR_getegid] = handler<sys_getgid>;
    t[__NR_setuid] = handler<sys_set_id>;
    t[__NR_setgid] = handler<sys_set_id>;
    t[__NR_setreuid] = handler<sys_set_ids>;
    t[__NR_setregid] = handler<sys_set_ids>;
    t[__NR_setresuid] = handler<sys_set_ids>;
    t[__NR_setresgid] = handler<sys_set_ids>;
    t[__NR_getresgid] = handler<sys_getresuid>;
    t[__NR_getgroups] = handler<sys_getgroups>;
    t[__NR_setpgid] = handler<sys_setpgid>;
    t[__NR_getpgid] = handler<sys_getpgid>;
    t[__NR_getpgrp] = handler<sys_getpgrp>;
    t[__NR_setsid] = handler<sys_setsid>;
    t[__NR_getsid] = handler<sys_getsid>;
    t[__NR_arch_prctl] = handler<sys_arch_prctl>;
    t[__NR_set_tid_address] = handler<sys_set_tid_address>;
    t[__NR_set_robust_list] = handler<sys_set_robust_list>;
    t[__NR_prctl] = handler<sys_prctl>;
    t[__NR_getresuid] = handler<sys_getresuid>;

    t[__NR_uname] = handler<sys_uname>;
    t[__NR_sched_yield] = handler<sys_sched_yield>;
    t[__NR_sched_getaffinity] = handler<sys_sched_getaffinity>;
    t[__NR_sched_setaffinity] = handler<sys_sched_setaffinity>;
    t[__NR_sched_getscheduler] = handler<sys_sched_getscheduler>;
    t[__NR_sched_getparam] = handler<sys_sched_getparam>;
    t[__NR_getpriority] = handler<sys_getpriority>;
    t[__NR_setpriority] = handler<sys_setpriority>;
    t[__NR_getcpu] = handler<sys_getcpu>;
    t[__NR_getrandom] = handler<sys_getrandom>;
    t[__NR_prlimit64] = handler<sys_prlimit64>;
    t[__NR_getrlimit] = handler<sys_getrlimit>;
    t[__NR_setrlimit] = handler<sys_setrlimit>;
    t[__NR_getrusage] = handler<sys_getrusage>;
    t[__NR_sysinfo] = handler<sys_sysinfo>;

    t[__NR_clone] = handler<sys_clone>;
    t[__NR_clone3] = handler<sys_clone3>;
    t[__NR_fork] = handler<sys_fork>;
    t[__NR_vfork] = handler<sys_vfork>;
    t[__NR_execve] = handler<sys_execve>;
    t[__NR_wait4] = handler<sys_wait4>;
    t[__NR_waitid] = handler<sys_waitid>;
    t[__NR_futex] = handler<sys_futex>;

    t[__NR_rt_sigaction] = handler<sys_rt_sigaction>;
    t[__NR_rt_sigprocmask] = handler<sys_rt_sigprocmask>;
    t[__NR_rt_sigpending] = handler<sys_rt_sigpending>;
    t[__NR_rt_sigsuspend] = handler<sys_rt_sigsuspend>;
    t[__NR_rt_sigtimedwait] = handler<sys_rt_sigtimedwait>;
    t[__NR_rt_sigreturn] = handler<sys_rt_sigreturn>;
    t[__NR_sigaltstack] = handler<sys_sigaltstack>;
    t[__NR_pause] = handler<sys_pause>;
    t[__NR_kill] = handler<sys_kill>;
    t[__NR_tkill] = handler<sys_tkill>;
    t[__NR_tgkill] = handler<sys_tgkill>;

    t[__NR_clock_gettime] = handler<sys_clock_gettime>;
    t[__NR_clock_getres] = handler<sys_clock_getres>;
    t[__NR_clock_nanosleep] = handler<sys_clock_nanosleep>;
    t[__NR_restart_syscall] = handler<sys_restart_syscall>;
    t[__NR_nanosleep] = handler<sys_nanosleep>;
    t[__NR_gettimeofday] = handler<sys_gettimeofday>;
    t[__NR_time] = handler<sys_time>;
    t[__NR_times] = handler<sys_times>;
    t[__NR_alarm] = handler<sys_alarm>;
    t[__NR_setitimer] = handler<sys_setitimer>;
    t[__NR_getitimer] = handler<sys_getitimer>;
    return t;
}

constexpr Table k_table = make_table();

void tell(u64 number, u64 const* argument, u32 count, Result result) {
    iso_doorbell& page = port::request();
    page.range_count = 0;
    page.argument[0] = number;
    for (u32 i = 0; i < 6; ++i)
        page.argument[1 + i] = i < count ? argument[i] : 0;
    page.argument[7] = static_cast<u64>(result);
    port::ring(ISO_OP_TRACE);
}

Result traced(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    u64 const number = call_registers().rax;
    u64 const argument[6] = {a, b, c, d, e, f};
    Handler const call = number < k_table.size() ? k_table[number] : handler<sys_unknown>;
    bool const ends = number == __NR_exit || number == __NR_exit_group;
    if (ends) tell(number, argument, 6, 0);
    Result const result = call(a, b, c, d, e, f);
    Thread& thread = this_thread();
    if (thread.deferred != nullptr)
        thread.traced_call = number + 1; // its result comes later
    else
        tell(number, argument, 6, result);
    return result;
}

constexpr Table make_traced_table() {
    Table t{};
    t.fill(&traced);
    return t;
}

constexpr Table k_traced_table = make_traced_table();

} // namespace

} // namespace iso::guest

extern "C" {
// What the entry code dispatches on.
iso::guest::Result (*const* iso_syscalls)(iso::guest::u64, iso::guest::u64, iso::guest::u64,
                                          iso::guest::u64, iso::guest::u64,
                                          iso::guest::u64) = iso::guest::k_table.data();
}

namespace iso::guest {

void trace_syscalls() {
    iso_syscalls = k_traced_table.data();
}

void trace_deferred(Result result) {
    Thread& thread = this_thread();
    tell(thread.traced_call - 1, thread.argument, 5, result);
    thread.traced_call = 0;
}

Result defer(Result (*call)(TrapFrame&), u64 a, u64 b, u64 c, u64 d, u64 e) {
    Thread& thread = this_thread();
    u64 const argument[5] = {a, b, c, d, e};
    for (u32 i = 0; i < 5; ++i)
        thread.argument[i] = argument[i];
    thread.deferred = call;
    iso_work_pending = 1;
    return 0;
}

} // namespace iso::guest
