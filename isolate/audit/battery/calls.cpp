// System calls that few programs need. Those that would change the machine are made with arguments
// that the kernel refuses after it has asked who may: which error comes back says whether the call
// was within reach.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fanotify.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>

namespace iso::battery {

Finding new_users() {
    return must_fail(call_of(SYS_unshare, CLONE_NEWUSER), -1);
}

Finding new_users_clone3() {
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER;
    arguments.exit_signal = SIGCHLD;
    Call const call = call_of(SYS_clone3, &arguments, sizeof arguments);
    long const child = make(call);
    if (child == 0) ::_exit(0);
    if (child > 0) {
        ::waitpid(static_cast<pid_t>(child), nullptr, 0);
        return open_hole("it worked");
    }
    return refused(call, static_cast<int>(-child));
}

Finding new_namespaces() {
    Finding told;
    for (int const kind :
         {CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
        told = must_fail(call_of(SYS_unshare, kind), CAP_SYS_ADMIN);
        if (told.state == State::open) return told;
    }
    return told;
}

Finding enter_namespaces() {
    struct Seen {
        Finding told;
        bool tried = false;
    } seen{};
    auto const try_one = [](pid_t pid, void* data) {
        auto& all = *static_cast<Seen*>(data);
        for (char const* const kind : {"uts", "mnt", "net", "user", "pid"}) {
            char path[64];
            std::snprintf(path, sizeof path, "/proc/%d/ns/%s", static_cast<int>(pid), kind);
            int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
            if (fd < 0) continue;
            Call const call = call_of(SYS_setns, fd, 0);
            long const entered = make(call);
            all.tried = true;
            // Its own user namespace is refused to everybody.
            all.told = entered >= 0 ? open_hole("entered %s", path)
                       : entered == -EINVAL && all.told.state == State::held
                           ? all.told
                           : refused(call, static_cast<int>(-entered), CAP_SYS_ADMIN);
            ::close(fd);
            if (entered >= 0) return false;
        }
        return true;
    };
    if (try_one(::getpid(), &seen)) for_other_processes(try_one, &seen);
    if (seen.tried) return seen.told;
    return must_fail(call_of(SYS_setns, -1, 0), CAP_SYS_ADMIN);
}

Finding load_modules() {
    // Who may is asked before the image is looked at.
    static char const k_nothing[1] = {};
    Finding const by_memory = must_fail(call_of(SYS_init_module, k_nothing, 0, ""), CAP_SYS_MODULE,
                                        {ENOEXEC, EINVAL, EFAULT});
    if (by_memory.state == State::open) return by_memory;
    Finding const by_file =
        must_fail(call_of(SYS_finit_module, -1, "", 0), CAP_SYS_MODULE, {EBADF, EINVAL, ENOEXEC});
    return by_file.state == State::open ? by_file : by_memory;
}

Finding kexec() {
    // No flags of these exist, so nothing is loaded, nor unloaded.
    Finding const old =
        must_fail(call_of(SYS_kexec_load, 0, 0, nullptr, 0x40000000L), CAP_SYS_BOOT, {EINVAL});
    if (old.state == State::open || old.state == State::held) return old;
    return must_fail(call_of(SYS_kexec_file_load, -1, -1, 0, "", 0x40000000L), CAP_SYS_BOOT,
                     {EINVAL, EBADF});
}

Finding bpf() {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 8;
    attributes.max_entries = 1;
    return must_fail(call_of(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), CAP_BPF);
}

Finding perf_events() {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_TASK_CLOCK;
    attributes.exclude_kernel = 1;
    attributes.disabled = 1;
    return must_fail(call_of(SYS_perf_event_open, &attributes, 0, -1, -1, 0), CAP_PERFMON);
}

Finding userfaultfd() {
    constexpr long k_user_mode_only = 1; // UFFD_USER_MODE_ONLY, for everybody
    return must_fail(call_of(SYS_userfaultfd, O_CLOEXEC | k_user_mode_only), -1);
}

Finding io_uring() {
    io_uring_params parameters{};
    return must_fail(call_of(SYS_io_uring_setup, 1, &parameters), -1);
}

Finding keyctl() {
    return must_fail(call_of(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0),
                     -1, {ENOKEY, EACCES, EKEYREVOKED});
}

Finding add_key() {
    // Without a fourth argument nobody is asked to make the key.
    Finding const asked = must_fail(
        call_of(SYS_request_key, "user", "isolab-no-such-key", nullptr, 0), -1, {ENOKEY, EACCES});
    if (asked.state == State::open) return asked;
    return must_fail(call_of(SYS_add_key, "user", nullptr, nullptr, 0, 0), -1,
                     {EINVAL, EFAULT, ENOKEY});
}

Finding set_clock() {
    timex change{};
    change.modes = ADJ_TICK; // of 0: refused, but only to who may
    Finding const told = must_fail(call_of(SYS_adjtimex, &change), CAP_SYS_TIME, {EINVAL});
    if (told.state == State::open) return told;
    return must_fail(call_of(SYS_clock_adjtime, CLOCK_REALTIME, &change), CAP_SYS_TIME, {EINVAL});
}

Finding restart() {
    Call const call = call_of(SYS_reboot, 0, 0, 0, 0);
    long const result = make(call);
    if (result != -EINVAL) return refused(call, static_cast<int>(-result), CAP_SYS_BOOT);
    // In a process namespace of its own it ends that namespace (reboot(2)).
    if (g_facts.known && own_space(k_pid) != 0 && !shares(k_pid))
        return held(By::pid_namespace, "it would end this jail only");
    return open_hole("reached: %s", std::strerror(EINVAL));
}

Finding swap() {
    return must_fail(call_of(SYS_swapon, "/isolab-none", 0), CAP_SYS_ADMIN, {ENOENT});
}

Finding accounting() {
    return must_fail(call_of(SYS_acct, "/isolab-none"), CAP_SYS_PACCT, {ENOENT, EROFS});
}

Finding ports() {
    // One port that nothing listens on, given back at the end of this process.
    Finding const one = must_fail(call_of(SYS_ioperm, 0x80, 1, 1), CAP_SYS_RAWIO);
    if (one.state == State::open) return one;
    return must_fail(call_of(SYS_iopl, 3), CAP_SYS_RAWIO);
}

Finding kernel_log() {
    char text[64];
    constexpr int k_read_all = 3;
    return must_fail(call_of(SYS_syslog, k_read_all, text, sizeof text), CAP_SYSLOG);
}

Finding watch_files() {
    return must_fail(
        call_of(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_REPORT_FID, O_RDONLY), -1);
}

Finding realtime() {
    sched_param priority{};
    priority.sched_priority = 1;
    Call const call = call_of(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority);
    long const result = make(call);
    if (result < 0) return refused(call, static_cast<int>(-result), CAP_SYS_NICE);
    priority.sched_priority = 0;
    ::syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority);
    return open_hole("it worked");
}

Finding personality_call() {
    return must_fail(call_of(SYS_personality, ADDR_NO_RANDOMIZE), -1);
}

Finding i386_calls() {
    long result = 20; // getpid in the i386 table
    // Clobbers as the kernel's 32-bit entry does. A kernel without that table: SIGSEGV.
    __asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
    if (result == ::getpid()) return open_hole("getpid answers");
    if (result == -ENOSYS && ask_filter(call_of(SYS_getpid)) == Filter::unknown)
        return held(By::seccomp, "or this kernel has no such table");
    return held(By::seccomp, "%s", std::strerror(static_cast<int>(-result)));
}

Finding x32_calls() {
    Call const call = call_of(0x40000000L | SYS_getpid);
    long const result = make(call);
    if (result == ::getpid()) return open_hole("getpid answers");
    return refused(call, static_cast<int>(-result));
}

namespace {

Finding must_not_have_socket(int family, int type) {
    Call const call = call_of(SYS_socket, family, type | SOCK_CLOEXEC, 0);
    long const fd = make(call);
    if (fd < 0) return refused(call, static_cast<int>(-fd), CAP_NET_RAW);
    ::close(static_cast<int>(fd));
    return open_hole("family %d, type %d", family, type);
}

} // namespace

Finding rare_sockets() {
    struct Rare {
        int family, type;
    };
    Finding told = not_here("this kernel has none of them");
    for (Rare const rare :
         {Rare{AF_ALG, SOCK_SEQPACKET}, Rare{AF_KEY, SOCK_RAW}, Rare{AF_RDS, SOCK_SEQPACKET},
          Rare{AF_TIPC, SOCK_SEQPACKET}, Rare{AF_BLUETOOTH, SOCK_RAW}, Rare{AF_CAN, SOCK_RAW},
          Rare{44 /* AF_XDP */, SOCK_RAW}}) {
        Finding const now = must_not_have_socket(rare.family, rare.type);
        if (now.state == State::open) return now;
        if (told.state != State::held) told = now;
    }
    return told;
}

Finding vsock() {
    return must_not_have_socket(AF_VSOCK, SOCK_STREAM);
}

} // namespace iso::battery
