#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/trap.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

/// From now on every call is told to the engine together with its result.
void trace_syscalls();
/// The same for one whose result comes late.
void trace_deferred(Result result);

/// For calls that need all registers of the program: `call` runs on the way back to it, and its
/// result is the call's.
Result defer(Result (*call)(TrapFrame&), u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0);
/// A time as the program gives it (struct timespec), as a deadline: from now, or `absolute` on
/// CLOCK_MONOTONIC or CLOCK_REALTIME. 0, -EFAULT or -EINVAL.
Result deadline_in(UserAddr time, bool absolute, bool realtime, u64& deadline);

// The calls, grouped as their files are. Each takes what it needs of the six argument registers.

// syscall_file.cpp: descriptors
Result sys_read(u64 fd, u64 to, u64 bytes);
Result sys_write(u64 fd, u64 from, u64 bytes);
Result sys_readv(u64 fd, u64 pieces, u64 count);
Result sys_writev(u64 fd, u64 pieces, u64 count);
Result sys_pread64(u64 fd, u64 to, u64 bytes, u64 offset);
Result sys_pwrite64(u64 fd, u64 from, u64 bytes, u64 offset);
Result sys_preadv(u64 fd, u64 pieces, u64 count, u64 offset);
Result sys_pwritev(u64 fd, u64 pieces, u64 count, u64 offset);
Result sys_lseek(u64 fd, u64 offset, u64 whence);
Result sys_close(u64 fd);
Result sys_close_range(u64 first, u64 last, u64 flags);
Result sys_pipe(u64 to);
Result sys_pipe2(u64 to, u64 flags);
Result sys_dup(u64 fd);
Result sys_dup2(u64 from, u64 to);
Result sys_dup3(u64 from, u64 to, u64 flags);
Result sys_fcntl(u64 fd, u64 command, u64 argument);
Result sys_ioctl(u64 fd, u64 request, u64 argument);

// syscall_file_list.cpp
Result sys_getdents64(u64 fd, u64 to, u64 bytes);

// syscall_file_data.cpp: what files hold
Result sys_fallocate(u64 fd, u64 mode, u64 offset, u64 bytes);
Result sys_flock(u64 fd, u64 operation);
Result sys_fsync(u64 fd);
Result sys_fdatasync(u64 fd);
Result sys_msync(u64 address, u64 length, u64 flags);
Result sys_sync_file_range(u64 fd);
Result sys_syncfs(u64 fd);
Result sys_sync();
Result sys_fadvise64(u64 fd, u64 offset, u64 bytes, u64 advice);
Result sys_readahead(u64 fd);

// poll.cpp, poll_epoll.cpp, poll_event.cpp: waiting for several files
Result sys_poll(u64 entries, u64 count, u64 timeout);
Result sys_ppoll(u64 entries, u64 count, u64 timeout, u64 mask, u64 mask_bytes);
Result sys_select(u64 count, u64 in, u64 out, u64 except, u64 timeout);
Result sys_pselect6(u64 count, u64 in, u64 out, u64 except, u64 timeout, u64 mask);
Result sys_epoll_create(u64 size);
Result sys_epoll_create1(u64 flags);
Result sys_epoll_ctl(u64 fd, u64 operation, u64 descriptor, u64 event);
Result sys_epoll_wait(u64 fd, u64 to, u64 most, u64 timeout);
Result sys_epoll_pwait(u64 fd, u64 to, u64 most, u64 timeout, u64 mask, u64 mask_bytes);
Result sys_eventfd(u64 count);
Result sys_eventfd2(u64 count, u64 flags);

// syscall_path.cpp: names
Result sys_open(u64 path, u64 flags, u64 mode);
Result sys_openat(u64 directory, u64 path, u64 flags, u64 mode);
Result sys_creat(u64 path, u64 mode);
Result sys_access(u64 path, u64 mode);
Result sys_faccessat(u64 directory, u64 path, u64 mode);
Result sys_faccessat2(u64 directory, u64 path, u64 mode, u64 flags);
Result sys_readlink(u64 path, u64 to, u64 bytes);
Result sys_readlinkat(u64 directory, u64 path, u64 to, u64 bytes);
Result sys_getcwd(u64 to, u64 bytes);
Result sys_chdir(u64 path);
Result sys_fchdir(u64 fd);
Result sys_umask(u64 mask);

// syscall_path_status.cpp: what nodes are like
Result sys_stat(u64 path, u64 to);
Result sys_lstat(u64 path, u64 to);
Result sys_fstat(u64 fd, u64 to);
Result sys_newfstatat(u64 directory, u64 path, u64 to, u64 flags);
Result sys_statx(u64 directory, u64 path, u64 flags, u64 mask, u64 to);
Result sys_statfs(u64 path, u64 to);
Result sys_fstatfs(u64 fd, u64 to);

// syscall_path_change.cpp: names come and go
Result sys_mkdir(u64 path, u64 mode);
Result sys_mkdirat(u64 directory, u64 path, u64 mode);
Result sys_mknod(u64 path, u64 mode, u64 device);
Result sys_mknodat(u64 directory, u64 path, u64 mode, u64 device);
Result sys_rmdir(u64 path);
Result sys_unlink(u64 path);
Result sys_unlinkat(u64 directory, u64 path, u64 flags);
Result sys_rename(u64 from, u64 to);
Result sys_renameat(u64 from_directory, u64 from, u64 to_directory, u64 to);
Result sys_renameat2(u64 from_directory, u64 from, u64 to_directory, u64 to, u64 flags);
Result sys_link(u64 from, u64 to);
Result sys_linkat(u64 from_directory, u64 from, u64 to_directory, u64 to, u64 flags);
Result sys_symlink(u64 target, u64 path);
Result sys_symlinkat(u64 target, u64 directory, u64 path);

// syscall_path_attributes.cpp: rights, owners, times, lengths
Result sys_chmod(u64 path, u64 mode);
Result sys_fchmod(u64 fd, u64 mode);
Result sys_fchmodat(u64 directory, u64 path, u64 mode);
Result sys_chown(u64 path, u64 owner, u64 group);
Result sys_lchown(u64 path, u64 owner, u64 group);
Result sys_fchown(u64 fd, u64 owner, u64 group);
Result sys_fchownat(u64 directory, u64 path, u64 owner, u64 group, u64 flags);
Result sys_utimensat(u64 directory, u64 path, u64 times, u64 flags);
Result sys_futimesat(u64 directory, u64 path, u64 times);
Result sys_utimes(u64 path, u64 times);
Result sys_utime(u64 path, u64 times);
Result sys_truncate(u64 path, u64 size);
Result sys_ftruncate(u64 fd, u64 size);

// syscall_memory.cpp
Result sys_mmap(u64 address, u64 length, u64 protection, u64 flags, u64 fd, u64 offset);
Result sys_munmap(u64 address, u64 length);
Result sys_mprotect(u64 address, u64 length, u64 protection);
Result sys_mremap(u64 address, u64 old_length, u64 length, u64 flags, u64 target);
Result sys_madvise(u64 address, u64 length, u64 advice);
Result sys_brk(u64 address);

// fork.cpp, exec.cpp, wait.cpp: processes and threads
Result sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 thread_pointer);
Result sys_clone3(u64 arguments, u64 bytes);
Result sys_fork();
Result sys_vfork();
Result sys_execve(u64 path, u64 arguments, u64 environment);
Result sys_wait4(u64 pid, u64 status, u64 options, u64 usage);
Result sys_waitid(u64 kind, u64 id, u64 info, u64 options, u64 usage);

// futex.cpp
Result sys_futex(u64 address, u64 operation, u64 value, u64 timeout, u64 other, u64 value3);

// syscall_process.cpp: the process itself
Result sys_exit(u64 status);
Result sys_exit_group(u64 status);
Result sys_getpid();
Result sys_gettid();
Result sys_getppid();
Result sys_getuid();
Result sys_getgid();
Result sys_set_id(u64 id);
Result sys_set_ids(u64 real, u64 effective, u64 saved);
Result sys_getresuid(u64 real, u64 effective, u64 saved);
Result sys_getgroups(u64 size, u64 to);
Result sys_setpgid(u64 pid, u64 group);
Result sys_getpgid(u64 pid);
Result sys_getpgrp();
Result sys_setsid();
Result sys_getsid(u64 pid);
Result sys_arch_prctl(u64 code, u64 address);
Result sys_set_tid_address(u64 address);
Result sys_set_robust_list(u64 head, u64 length);
Result sys_prctl(u64 option, u64 argument);

// syscall_system.cpp: the machine
Result sys_uname(u64 to);
Result sys_sched_yield();
Result sys_sched_getaffinity(u64 pid, u64 bytes, u64 to);
Result sys_sched_setaffinity(u64 pid, u64 bytes, u64 from);
Result sys_sched_getscheduler(u64 pid);
Result sys_sched_getparam(u64 pid, u64 to);
Result sys_getpriority(u64 which, u64 who);
Result sys_setpriority(u64 which, u64 who, u64 value);
Result sys_getcpu(u64 cpu, u64 node);
Result sys_getrandom(u64 to, u64 bytes, u64 flags);
Result sys_prlimit64(u64 pid, u64 resource, u64 to_set, u64 to_get);
Result sys_getrlimit(u64 resource, u64 to);
Result sys_setrlimit(u64 resource, u64 from);
Result sys_getrusage(u64 who, u64 to);
Result sys_sysinfo(u64 to);

// syscall_signal.cpp
Result sys_rt_sigaction(u64 signal, u64 set, u64 get, u64 bytes);
Result sys_rt_sigprocmask(u64 how, u64 set, u64 get, u64 bytes);
Result sys_rt_sigpending(u64 to, u64 bytes);
Result sys_rt_sigsuspend(u64 set, u64 bytes);
Result sys_rt_sigtimedwait(u64 set, u64 info, u64 timeout, u64 bytes);
Result sys_rt_sigreturn();
Result sys_sigaltstack(u64 set, u64 get);
Result sys_pause();
Result sys_kill(u64 pid, u64 signal);
Result sys_tkill(u64 tid, u64 signal);
Result sys_tgkill(u64 pid, u64 tid, u64 signal);

// syscall_time.cpp
Result sys_clock_gettime(u64 clock, u64 to);
Result sys_clock_getres(u64 clock, u64 to);
Result sys_clock_nanosleep(u64 clock, u64 flags, u64 request, u64 remaining);
Result sys_restart_syscall();
Result sys_nanosleep(u64 request, u64 remaining);
Result sys_gettimeofday(u64 to, u64 zone);
Result sys_time(u64 to);
Result sys_times(u64 to);
Result sys_alarm(u64 seconds);
Result sys_setitimer(u64 which, u64 set, u64 get);
Result sys_getitimer(u64 which, u64 to);

} // namespace iso::guest
