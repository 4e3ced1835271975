// Gives every system call that takes an address addresses that are none, and says what it answers.
#include "sys.hpp"

namespace {

char buffer[4096];
char const read_only[64] = {1};
u64 zeros[4];

struct Bad {
    char const* name;
    u64 address;
};

// The page at the end is followed by nothing.
u64 edge() {
    u64 const two = static_cast<u64>(sys(__NR_mmap, 0, 8192, 3, 0x22, ~0ul));
    sys(__NR_munmap, two + 4096, 4096);
    return two + 4096 - 2;
}

enum Use { in, out };

struct Call {
    char const* name;
    long number;
    int place; // which argument is the address
    Use use;
    bool null_is_fine;
    u64 arguments[6];
};

u64 ok() {
    return at(buffer);
}

} // namespace

int main(int, char**) {
    sys(__NR_chdir, at("/")); // whose name is short
    u64 const program = at("/proc/self/exe");
    u64 const file = static_cast<u64>(sys(__NR_open, program, 0));
    u64 const directory = static_cast<u64>(sys(__NR_open, at("/"), 0x10000));
    struct {
        u64 base, bytes;
    } piece = {0, 16};

    Bad const bad[] = {
        {"null", 0},
        {"low", 0x1000},
        {"unmapped", 0x123456789000},
        {"kernel", 0x600000200000},
        {"kernel-data", 0x600000300000},
        {"window-end", 0x5ffffffff000 + 4096 - 8},
        {"noncanonical", 0x900000000000},
        {"high", 0xffff800000000000},
        {"top", ~0ul},
        {"edge", edge()},
        {"read-only", at(read_only)},
        {"no-access", static_cast<u64>(sys(__NR_mmap, 0, 4096, 0, 0x22, ~0ul))},
    };
    u64 const poller = static_cast<u64>(sys(__NR_epoll_create1, 0));
    u64 const event = static_cast<u64>(sys(__NR_eventfd2, 0, 0));
    Call const calls[] = {
        {"write", __NR_write, 1, in, false, {1, 0, 16}},
        {"writev", __NR_writev, 1, in, false, {1, 0, 1}},
        {"read", __NR_read, 1, out, false, {file, 0, 16}},
        {"readv", __NR_readv, 1, in, false, {file, 0, 1}},
        {"pread64", __NR_pread64, 1, out, false, {file, 0, 16, 0}},
        {"open", __NR_open, 0, in, false, {0, 0, 0}},
        {"openat", __NR_openat, 1, in, false, {~0ul - 99, 0, 0, 0}},
        {"stat-path", __NR_stat, 0, in, false, {0, ok()}},
        {"stat", __NR_stat, 1, out, false, {program, 0}},
        {"lstat", __NR_lstat, 1, out, false, {program, 0}},
        {"fstat", __NR_fstat, 1, out, false, {file, 0}},
        {"newfstatat", __NR_newfstatat, 2, out, false, {~0ul - 99, program, 0, 0}},
        {"access", __NR_access, 0, in, false, {0, 0}},
        {"faccessat", __NR_faccessat, 1, in, false, {~0ul - 99, 0, 0}},
        {"readlink-path", __NR_readlink, 0, in, false, {0, ok(), 64}},
        {"readlink", __NR_readlink, 1, out, false, {program, 0, 64}},
        {"readlinkat", __NR_readlinkat, 2, out, false, {~0ul - 99, program, 0, 64}},
        {"getcwd", __NR_getcwd, 0, out, false, {0, 4096}},
        {"chdir", __NR_chdir, 0, in, false, {0}},
        {"getdents64", __NR_getdents64, 1, out, false, {directory, 0, 4096}},
        {"clock_gettime", __NR_clock_gettime, 1, out, false, {1, 0}},
        {"clock_getres", __NR_clock_getres, 1, out, true, {1, 0}},
        {"gettimeofday", __NR_gettimeofday, 0, out, true, {0, 0}},
        {"time", __NR_time, 0, out, true, {0}},
        {"times", __NR_times, 0, out, true, {0}},
        {"nanosleep", __NR_nanosleep, 0, in, false, {0, 0}},
        {"clock_nanosleep", __NR_clock_nanosleep, 2, in, false, {1, 0, 0, 0}},
        {"uname", __NR_uname, 0, out, false, {0}},
        {"arch_prctl", __NR_arch_prctl, 1, out, false, {0x1003, 0}},
        {"sched_getaffinity", __NR_sched_getaffinity, 2, out, false, {0, 128, 0}},
        {"getrandom", __NR_getrandom, 0, out, false, {0, 16, 0}},
        {"rt_sigaction-set", __NR_rt_sigaction, 1, in, true, {10, 0, 0, 8}},
        {"rt_sigaction-get", __NR_rt_sigaction, 2, out, true, {10, 0, 0, 8}},
        {"rt_sigprocmask-set", __NR_rt_sigprocmask, 1, in, true, {0, 0, 0, 8}},
        {"rt_sigprocmask-get", __NR_rt_sigprocmask, 2, out, true, {0, 0, 0, 8}},
        {"rt_sigpending", __NR_rt_sigpending, 0, out, false, {0, 8}},
        {"sigaltstack-set", __NR_sigaltstack, 0, in, true, {0, 0}},
        {"sigaltstack-get", __NR_sigaltstack, 1, out, true, {0, 0}},
        {"prlimit64-set", __NR_prlimit64, 2, in, true, {0, 3, 0, 0}},
        {"prlimit64-get", __NR_prlimit64, 3, out, true, {0, 3, 0, 0}},
        {"getrlimit", __NR_getrlimit, 1, out, false, {3, 0}},
        {"getrusage", __NR_getrusage, 1, out, false, {0, 0}},
        {"sysinfo", __NR_sysinfo, 0, out, false, {0}},
        {"prctl-name", __NR_prctl, 1, in, false, {15, 0}},
        {"preadv", __NR_preadv, 1, in, false, {file, 0, 1, 0}},
        {"execve-path", __NR_execve, 0, in, false, {0, 0, 0}},
        {"execve-arguments", __NR_execve, 1, in, true, {program, 0, 0}},
        {"execve-environment", __NR_execve, 2, in, true, {program, 0, 0}},
        {"clone3", __NR_clone3, 0, in, false, {0, 88}},
        {"futex-wait", __NR_futex, 0, in, false, {0, 0, 1, 0}},
        {"futex-wake", __NR_futex, 0, in, false, {0, 1, 1, 0}},
        {"futex-time", __NR_futex, 3, in, true, {ok(), 0, 0, 0}},
        {"futex-requeue", __NR_futex, 4, in, false, {ok(), 3, 0, 0, 0}},
        {"futex-wake-op", __NR_futex, 4, in, false, {ok(), 5, 0, 0, 0, 0}},
        {"pipe", __NR_pipe, 0, out, false, {0}},
        {"pipe2", __NR_pipe2, 0, out, false, {0, 0}},
        {"poll", __NR_poll, 0, in, false, {0, 1, 0}},
        {"ppoll-time", __NR_ppoll, 2, in, true, {0, 0, 0, 0, 8}},
        {"ppoll-mask", __NR_ppoll, 3, in, true, {0, 0, 0, 0, 8}},
        {"select-in", __NR_select, 1, in, true, {5, 0, 0, 0, 0}},
        {"select-time", __NR_select, 4, in, true, {0, 0, 0, 0, 0}},
        {"pselect6-mask", __NR_pselect6, 5, in, true, {0, 0, 0, 0, 0, 0}},
        {"epoll_ctl", __NR_epoll_ctl, 3, in, false, {poller, 1, event, 0}},
        {"statx-path", __NR_statx, 1, in, false, {~0ul - 99, 0, 0, 0x7ff, ok()}},
        {"statx", __NR_statx, 4, out, false, {~0ul - 99, program, 0, 0x7ff, 0}},
        {"statfs-path", __NR_statfs, 0, in, false, {0, ok()}},
        {"statfs", __NR_statfs, 1, out, false, {program, 0}},
        {"fstatfs", __NR_fstatfs, 1, out, false, {file, 0}},
        {"mkdir", __NR_mkdir, 0, in, false, {0, 0}},
        {"mknod", __NR_mknod, 0, in, false, {0, 0x8000, 0}},
        {"rmdir", __NR_rmdir, 0, in, false, {0}},
        {"unlink", __NR_unlink, 0, in, false, {0}},
        {"rename-from", __NR_rename, 0, in, false, {0, program}},
        {"rename-to", __NR_rename, 1, in, false, {program, 0}},
        {"link-from", __NR_link, 0, in, false, {0, program}},
        {"link-to", __NR_link, 1, in, false, {program, 0}},
        {"symlink-text", __NR_symlink, 0, in, false, {0, program}},
        {"symlink-at", __NR_symlink, 1, in, false, {program, 0}},
        {"chmod", __NR_chmod, 0, in, false, {0, 0}},
        {"chown", __NR_chown, 0, in, false, {0, 0, 0}},
        {"truncate", __NR_truncate, 0, in, false, {0, 0}},
        {"utimensat-time", __NR_utimensat, 2, in, true, {~0ul - 99, at("/dev/null"), 0, 0}},
        {"setitimer-set", __NR_setitimer, 1, in, true, {0, 0, 0}},
        {"setitimer-get", __NR_setitimer, 2, out, true, {0, at(zeros), 0}},
        {"getitimer", __NR_getitimer, 1, out, false, {0, 0}},
        {"rt_sigtimedwait-set", __NR_rt_sigtimedwait, 0, in, false, {0, 0, at(zeros), 8}},
        {"rt_sigtimedwait-time", __NR_rt_sigtimedwait, 2, in, true, {at(zeros), 0, 0, 8}},
        {"rt_sigsuspend", __NR_rt_sigsuspend, 0, in, false, {0, 8}},
        {"getresuid", __NR_getresuid, 1, out, false, {ok(), 0, ok()}},
        {"getcpu", __NR_getcpu, 0, out, true, {0, 0, 0}},
        {"sched_getparam", __NR_sched_getparam, 1, out, false, {0, 0}},
        {"fcntl-lock", __NR_fcntl, 2, in, false, {file, 5, 0}},
        {"wait4", __NR_wait4, 1, out, true, {~0ul, 0, 1, 0}},
        {"waitid", __NR_waitid, 2, out, true, {0, 0, 0, 5, 0}},
    };

    for (Call const& call : calls) {
        for (Bad const& each : bad) {
            bool const text = each.address == at(read_only) && call.use == in;
            bool const prints = each.address == bad[9].address && call.number == __NR_write;
            if (text || prints || (each.address == 0 && call.null_is_fine)) continue;
            u64 arguments[6];
            for (int i = 0; i < 6; ++i)
                arguments[i] = call.arguments[i];
            arguments[call.place] = each.address;
            // A call may have left the beginning of its answer there, for instance of sysinfo(2)'s
            // time since the start: a text must not happen to end in it.
            auto* const last_bytes = reinterpret_cast<char volatile*>(bad[9].address);
            last_bytes[0] = last_bytes[1] = 'x';
            long result = sys(call.number, arguments[0], arguments[1], arguments[2], arguments[3],
                              arguments[4], arguments[5]);
            if (each.address == bad[9].address && result != -14) continue;
            say(call.name);
            say(" ");
            line(each.name, result);
        }
    }
    for (Bad const& each : bad) {
        if (each.address == at(read_only) || each.address == bad[9].address) continue;
        piece.base = each.address;
        say("writev-piece ");
        line(each.name, sys(__NR_writev, 1, at(&piece), 1));
        say("readv-piece ");
        line(each.name, sys(__NR_readv, file, at(&piece), 1));
    }
    return 0;
}
