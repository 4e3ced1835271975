#pragma once

/// The start of a stub, common to K and U: from a fresh exec to a process that holds only what the
/// boundary needs. Freestanding; each step ends the process when it fails, before guest code runs.

#include "paravirt-demo/stub/boundary.hpp"
#include "paravirt-demo/stub/filter.hpp"
#include "paravirt-demo/stub/syscall_x86_64.hpp"

#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/time.h>

#ifndef PROT_READ
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#endif

#pragma GCC visibility push(hidden) // the linker must see direct references: there is no GOT here
extern "C" {
void iso_restorer();
extern char const iso_data_begin[], iso_data_end[];
long iso_clone_task(uint64_t flags, uint64_t stack, void (*entry)());
}
#pragma GCC visibility pop

namespace iso::pv {

/// Status of a stub that could not be built; the line says where.
[[noreturn]] inline void stub_fail(int line = __builtin_LINE()) {
    for (;;)
        system_call(SYS_exit_group, static_cast<uint64_t>(line % 100 + 100));
}

inline void require(long result, int line = __builtin_LINE()) {
    if (result < 0 && result > -4096) stub_fail(line);
}

/// The one argument of a stub: its slot number in decimal, as argv[1] on the start-up stack.
inline unsigned stub_argument(uint64_t const* stack) {
    if (stack[0] < 2) stub_fail();
    unsigned value = 0;
    for (auto const* text = reinterpret_cast<char const*>(stack[2]); *text != '\0'; ++text)
        value = value * 10 + static_cast<unsigned>(*text - '0');
    return value;
}

inline void map_fixed(uint64_t address, uint64_t bytes, uint64_t protection, int fd,
                      uint64_t offset, int line = __builtin_LINE()) {
    constexpr uint64_t k_shared_fixed_noreplace = 0x01 | 0x100000;
    long const at = system_call(SYS_mmap, address, bytes, protection, k_shared_fixed_noreplace,
                                static_cast<uint64_t>(fd), offset);
    if (at != static_cast<long>(address)) stub_fail(line);
}

/// Dies with the monitor, cannot be traced or gain privileges, holds no descriptor but the
/// boundary's.
inline void confine_common(unsigned monitor_pid, unsigned last_fd) {
    require(system_call(SYS_prctl, PR_SET_PDEATHSIG, 9));
    if (system_call(SYS_getppid) != static_cast<long>(monitor_pid)) stub_fail();
    require(system_call(SYS_prctl, PR_SET_DUMPABLE, 0));
    require(system_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
    uint64_t const no_core[2] = {0, 0};
    require(system_call(SYS_setrlimit, RLIMIT_CORE, reinterpret_cast<uint64_t>(no_core)));
    require(system_call(SYS_close_range, 0, 2, 0));
    require(system_call(SYS_close_range, last_fd + 1, ~0U, 0));
}

inline constexpr unsigned k_handled_signals[] = {4 /* SIGILL */,
                                                 5 /* SIGTRAP */,
                                                 7 /* SIGBUS */,
                                                 8 /* SIGFPE */,
                                                 11 /* SIGSEGV */,
                                                 14 /* SIGALRM */,
                                                 31 /* SIGSYS */};

/// Sends every signal that guest code can cause, and the tick, to one handler on its own stack.
/// SA_NODEFER and an empty mask: the handler is left without rt_sigreturn, so nothing would undo a
/// mask.
inline void install_handlers(uint64_t handler, uint64_t stack, uint64_t stack_bytes) {
    struct {
        uint64_t sp;
        int32_t flags;
        uint64_t size;
    } const alternate = {stack, 0, stack_bytes};
    require(system_call(SYS_sigaltstack, reinterpret_cast<uint64_t>(&alternate), 0));
    struct {
        uint64_t handler, flags, restorer, mask;
    } const action = {handler, 0x4c000004 /* SA_NODEFER|SA_ONSTACK|SA_RESTORER|SA_SIGINFO */,
                      reinterpret_cast<uint64_t>(&iso_restorer), 0};
    for (unsigned signal : k_handled_signals)
        require(system_call(SYS_rt_sigaction, signal, reinterpret_cast<uint64_t>(&action), 0, 8));
}

inline void set_signal_mask(uint64_t mask) {
    require(system_call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, reinterpret_cast<uint64_t>(&mask),
                        0, 8));
}
inline void block_signals() {
    set_signal_mask(~uint64_t{0});
}
/// Only what has a handler stays unblocked: a terminal's Ctrl-C is for the monitor, which ends this
/// process by SIGKILL.
constexpr uint64_t running_signal_mask() {
    uint64_t mask = ~uint64_t{0};
    for (unsigned signal : k_handled_signals)
        mask &= ~(uint64_t{1} << (signal - 1));
    return mask;
}
inline void unblock_signals() {
    set_signal_mask(running_signal_mask());
}

/// A filter in writable memory, completed with the gate's address.
template <size_t N>
struct LinkedFilter {
    sock_filter code[N];
    sock_fprog program;

    void link(sock_filter const (&source)[N], char const* gate_return) {
        for (size_t i = 0; i < N; ++i)
            code[i] = source[i];
        if (gate_return != nullptr)
            code[k_gate_check].k = static_cast<uint32_t>(reinterpret_cast<uint64_t>(gate_return));
        program.len = static_cast<unsigned short>(N);
        program.filter = code;
    }
};

/// Makes the stub's own data read-only once it is final.
inline void protect_self() {
    auto const begin = reinterpret_cast<uint64_t>(iso_data_begin);
    auto const end = reinterpret_cast<uint64_t>(iso_data_end);
    require(
        system_call(SYS_mprotect, begin, (end - begin + k_page - 1) & ~(k_page - 1), PROT_READ));
}

} // namespace iso::pv
