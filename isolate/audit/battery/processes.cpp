// Processes of the host and of the jail, and bombs.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace iso::battery {

namespace {

Finding no_host_process() {
    if (!g_facts.known) return not_here("nothing is known of the host");
    return held(By::pid_namespace, "no process of the host has a number here");
}

Finding must_not_trace(pid_t pid) {
    // Seizing does not stop it, and our end lets it go.
    return must_fail(call_of(SYS_ptrace, PTRACE_SEIZE, pid, nullptr, nullptr), CAP_SYS_PTRACE);
}

bool own_process_one() {
    return own_space(k_pid) == 0 || !shares(k_pid);
}

} // namespace

Finding host_processes() {
    if (!g_facts.known) return not_here("nothing is known of the host");
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d", static_cast<int>(g_facts.pid));
    struct stat info {};
    if (sees_host_process() && ::stat(path, &info) == 0)
        return open_hole("%s is a process of the host", path);
    if (::access("/proc/self", F_OK) != 0) {
        // It may be in another namespace's /proc.
        struct stat proc {};
        if (::stat("/proc/1", &proc) == 0) return open_hole("/proc is another process namespace's");
        return held(By::root, "there is no /proc");
    }
    return held(By::pid_namespace, "none is in /proc");
}

Finding signal_host() {
    if (!sees_host_process()) return no_host_process();
    return must_fail(call_of(SYS_kill, g_facts.pid, 0), CAP_KILL);
}

Finding trace_host() {
    if (!sees_host_process()) return no_host_process();
    return must_not_trace(g_facts.pid);
}

Finding trace_init() {
    if (!own_process_one()) return not_here("process 1 is the host's");
    if (::getppid() == 1 || ::getpid() == 1) return not_here("process 1 is the battery");
    return must_not_trace(1);
}

Finding read_init() {
    if (::getppid() == 1 || ::getpid() == 1) return not_here("process 1 is the battery");
    Finding told = held(By::root, "there is no /proc");
    for (char const* const path : {"/proc/1/mem", "/proc/1/environ"}) {
        int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            if (told.by == By::root) told = file_refused(path, errno);
            continue;
        }
        // environ of a process that has its memory opens, and then has nothing to show.
        char byte = 0;
        bool const reads = path[8] == 'm' || ::read(fd, &byte, 1) == 1;
        ::close(fd);
        if (reads) return open_hole("%s can be read", path);
    }
    char space[8];
    iovec const here{space, sizeof space};
    iovec const there{space, sizeof space}; // an address that need not exist there
    Finding const read = must_fail(call_of(SYS_process_vm_readv, 1, &here, 1, &there, 1, 0),
                                   CAP_SYS_PTRACE, {EFAULT});
    return read.state == State::open ? read : told;
}

/// Of a bomb's process: nothing is written, as all have the memory of one.
int wait_for_the_end(void*) {
    ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;)
        ::syscall(SYS_pause);
}

Finding fork_bomb() {
    constexpr int k_many = 600;
    constexpr std::size_t k_stack = 1024;
    // They share the attempt's memory: with 600 of their own a small memory limit would be reached,
    // and the kernel then ends whoever is largest, which may be the jail's process 1.
    static char stacks[k_many][k_stack] __attribute__((aligned(16)));
    int made = 0;
    int error = 0;
    pid_t children[k_many];
    while (made < k_many) {
        pid_t const child =
            ::clone(wait_for_the_end, stacks[made] + k_stack, CLONE_VM | SIGCHLD, nullptr);
        if (child < 0) {
            error = errno;
            break;
        }
        children[made++] = child;
    }
    for (int i = 0; i < made; ++i)
        ::kill(children[i], SIGKILL);
    for (int i = 0; i < made; ++i)
        ::waitpid(children[i], nullptr, 0);
    if (made == k_many) return open_hole("%d at once", made);
    return held(By::limit, "%d, then: %s", made, std::strerror(error));
}

Finding memory_bomb() {
    constexpr std::size_t k_beyond = std::size_t{64} << 20U;
    constexpr std::size_t k_most = std::size_t{1} << 30U;
    if (g_facts.memory == 0) return not_here("no memory limit was asked for");
    std::size_t const size = g_facts.memory + k_beyond;
    if (size > k_most) return not_here("a limit of more than 960 MiB is not tried out");
    // In a process of its own: the kernel ends the one that has most.
    pid_t const child = ::fork();
    if (child == 0) {
        auto* const memory =
            static_cast<char volatile*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (memory == MAP_FAILED) ::_exit(1);
        for (std::size_t at = 0; at < size; at += 4096)
            memory[at] = 1;
        ::_exit(0);
    }
    if (child < 0) return refused(call_of(SYS_clone, SIGCHLD), errno);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return open_hole("had %zu MiB", size >> 20U);
    return WIFSIGNALED(status) ? held(By::limit, "the kernel ended it")
                               : held(By::limit, "mmap(2) was refused");
}

} // namespace iso::battery
