#include "vmm-mini/confine.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace iso::vmm {

namespace {

/// Writes a list of allowed calls as a classic BPF program (seccomp(2)). Every block ends with its
/// own return, so blocks do not depend on each other; the hot calls come first.
class Filter {
public:
    explicit Filter(std::vector<sock_filter>& out)
        : out_(out) {
        load(offsetof(seccomp_data, arch));
        jump_unless_equal(AUDIT_ARCH_X86_64, 1); // another table of numbers (int 0x80)
        emit(BPF_JMP | BPF_JA, 1);
        answer(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(seccomp_data, nr));
    }
    /// Allows `call`.
    void allow(long call) {
        jump_unless_equal(static_cast<std::uint32_t>(call), 1);
        answer(SECCOMP_RET_ALLOW);
    }
    /// Allows `call` with one of `values` in an argument. The arguments tested here are 32-bit in
    /// the kernel (descriptors, process numbers), which ignores the upper half.
    void allow_values(long call, unsigned argument, std::span<int const> values) {
        auto const count = static_cast<std::uint8_t>(values.size());
        jump_unless_equal(static_cast<std::uint32_t>(call), static_cast<std::uint8_t>(count + 3));
        load(low_half(argument));
        for (std::uint8_t i = 0; i < count; ++i)
            emit(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(values[i]),
                 static_cast<std::uint8_t>(count - i));
        answer(SECCOMP_RET_TRAP);
        answer(SECCOMP_RET_ALLOW);
    }
    /// Allows `call` unless one of the bits of `mask` is set in an argument.
    void allow_without(long call, unsigned argument, std::uint32_t mask) {
        jump_unless_equal(static_cast<std::uint32_t>(call), 4);
        load(low_half(argument));
        emit(BPF_JMP | BPF_JSET | BPF_K, mask, 1);
        answer(SECCOMP_RET_ALLOW);
        answer(SECCOMP_RET_TRAP);
    }
    void finish() { answer(SECCOMP_RET_TRAP); }

private:
    static std::uint32_t low_half(unsigned argument) {
        return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                          argument * sizeof(std::uint64_t));
    }
    void emit(unsigned code, std::uint32_t k, std::uint8_t yes = 0, std::uint8_t no = 0) {
        out_.push_back({static_cast<std::uint16_t>(code), yes, no, k});
    }
    void load(std::size_t offset) {
        emit(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
    }
    void answer(std::uint32_t action) { emit(BPF_RET | BPF_K, action); }
    void jump_unless_equal(std::uint32_t value, std::uint8_t distance) {
        emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, distance);
    }

    std::vector<sock_filter>& out_;
};

} // namespace

std::vector<sock_filter> make_filter(OpenDescriptors const& open) {
    std::vector<sock_filter> program;
    program.reserve(128);
    Filter filter(program);
    int const console[] = {STDOUT_FILENO, STDERR_FILENO};
    int const words[] = {STDERR_FILENO,
                         open.report}; // -1, no report, is no descriptor: EBADF at most
    int const input[] = {STDIN_FILENO};
    int const self[] = {::getpid()};
    filter.allow_values(SYS_ioctl, 0, std::span(&open.vcpu, 1));
    filter.allow_values(SYS_writev, 0, console);
    filter.allow_values(SYS_readv, 0, input);
    filter.allow_values(SYS_write, 0, words);
    if (!open.statistics.empty()) filter.allow_values(SYS_pread64, 0, open.statistics);
    for (long const call : {SYS_rt_sigreturn, SYS_restart_syscall, SYS_setitimer, SYS_poll,
                            SYS_getrandom, SYS_clock_gettime, SYS_getrusage, SYS_brk, SYS_munmap,
                            SYS_madvise, SYS_close, SYS_exit_group})
        filter.allow(call);
    filter.allow_without(SYS_mmap, 2, PROT_EXEC);
    filter.allow_without(SYS_mprotect, 2, PROT_EXEC);
    // What abort(3) does on its way.
    for (long const call : {SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_getpid, SYS_gettid})
        filter.allow(call);
    filter.allow_values(SYS_tgkill, 0, self);
#ifdef __SANITIZE_ADDRESS__
    for (long const call : {SYS_mremap, SYS_sigaltstack, SYS_futex, SYS_sched_yield})
        filter.allow(call);
#endif
    filter.finish();
    return program;
}

Result<void> check_confinement() {
    std::uint32_t action = SECCOMP_RET_TRAP;
    if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        return sys_error("seccomp(SECCOMP_GET_ACTION_AVAIL)",
                         "a kernel with CONFIG_SECCOMP_FILTER (Linux 4.14)");
    return {};
}

Result<void> confine(OpenDescriptors const& open) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sys_error("prctl(PR_SET_NO_NEW_PRIVS)");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capset, &header, none) != 0) return sys_error("capset(none)");
    std::vector<sock_filter> const program = make_filter(open);
    sock_fprog code{static_cast<unsigned short>(program.size()),
                    const_cast<sock_filter*>(program.data())};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) != 0)
        return sys_error("seccomp(SECCOMP_SET_MODE_FILTER)");
    return {};
}

} // namespace iso::vmm
