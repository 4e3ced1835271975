#pragma once

// The Linux system calls that the workloads use, without a C library. Numbers: the kernel's
// arch/x86/entry/syscalls/syscall_64.tbl; convention: AMD64 psABI A.2.1.
#include <stddef.h>
#include <stdint.h>

namespace iso::linux_call {

enum Number : long {
    read = 0,
    write = 1,
    close = 3,
    lseek = 8,
    mmap = 9,
    munmap = 11,
    rt_sigaction = 13,
    pread64 = 17,
    pwrite64 = 18,
    madvise = 28,
    nanosleep = 35,
    getpid = 39,
    socket = 41,
    connect = 42,
    bind = 49,
    listen = 50,
    getsockname = 51,
    socketpair = 53,
    setsockopt = 54,
    clone = 56,
    fork = 57,
    execve = 59,
    exit = 60,
    wait4 = 61,
    kill = 62,
    fsync = 74,
    getppid = 110,
    prctl = 157,
    futex = 202,
    clock_gettime = 228,
    exit_group = 231,
    openat = 257,
    newfstatat = 262,
    unlinkat = 263,
    readlinkat = 267,
    accept4 = 288,
    pipe2 = 293,
};

inline constexpr long k_eintr = 4;
inline constexpr long k_max_errno = 4095; // results in [-4095, -1] are errors

/// A system call as it is: the result, or -errno.
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
    long result = number;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    // `syscall` overwrites rcx and r11 (SDM vol. 2); the kernel may write the memory pointed to.
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

inline bool failed(long result) {
    return result < 0 && result >= -k_max_errno;
}

template <typename T>
long address(T const* pointer) {
    return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}

[[noreturn]] inline void exit_with(int status) {
    for (;;)
        call(exit_group, status);
}

/// CLOCK_MONOTONIC in nanoseconds, by the system call: a program without a C library has no vDSO.
inline uint64_t monotonic_ns() {
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } now{0, 0};
    call(clock_gettime, 1 /* CLOCK_MONOTONIC */, address(&now));
    return static_cast<uint64_t>(now.seconds) * 1'000'000'000U +
           static_cast<uint64_t>(now.nanoseconds);
}

/// Writes everything to `fd`; returns 0 or -errno.
inline long write_all(int fd, char const* data, size_t size) {
    while (size != 0) {
        long const n = call(write, fd, address(data), static_cast<long>(size));
        if (n == -k_eintr) continue;
        if (failed(n)) return n;
        data += n;
        size -= static_cast<size_t>(n);
    }
    return 0;
}

/// Private anonymous memory in pages of 4 KiB, or nullptr.
///
/// Huge pages are declined here as well as by the harness, so that a run by hand measures the same.
/// A kernel without huge pages answers EINVAL or ENOSYS: there is nothing to decline then.
inline void* map_pages(size_t bytes) {
    long const where = call(mmap, 0, static_cast<long>(bytes), 3 /* PROT_READ|PROT_WRITE */,
                            0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */, -1, 0);
    if (failed(where)) return nullptr;
    call(madvise, where, static_cast<long>(bytes), 15 /* MADV_NOHUGEPAGE */);
    return reinterpret_cast<void*>(static_cast<uintptr_t>(where));
}

inline long unmap_pages(void* memory, size_t bytes) {
    return call(munmap, address(memory), static_cast<long>(bytes));
}

} // namespace iso::linux_call
