#pragma once

/// The seccomp filters of the three kinds of task, as constant classic BPF.
///
/// They are short enough to be read: each line is one test. `ip` is the address after the `syscall`
/// instruction (seccomp(2)). A 64-bit value is two words, low first.

#include "paravirt-demo/stub/boundary.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

namespace iso::pv {

#define ISO_LOAD(field)                                                                            \
    { BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offsetof(seccomp_data, field)) }
#define ISO_LOAD_AT(offset)                                                                        \
    { BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset) }
#define ISO_IF_EQ(value, yes, no)                                                                  \
    { BPF_JMP | BPF_JEQ | BPF_K, yes, no, static_cast<uint32_t>(value) }
#define ISO_IF_GE(value, yes, no)                                                                  \
    { BPF_JMP | BPF_JGE | BPF_K, yes, no, static_cast<uint32_t>(value) }
#define ISO_RETURN(value)                                                                          \
    { BPF_RET | BPF_K, 0, 0, static_cast<uint32_t>(value) }

// One requirement on the accumulator each: go on, or end the process.
#define ISO_REQUIRE_EQ(value) ISO_IF_EQ(value, 1, 0), ISO_RETURN(SECCOMP_RET_KILL_PROCESS)
#define ISO_REQUIRE_BELOW(value) ISO_IF_GE(value, 0, 1), ISO_RETURN(SECCOMP_RET_KILL_PROCESS)
// What is not at the stub's own gate is guest code's: it traps.
#define ISO_ELSE_TRAP(value) ISO_IF_EQ(value, 1, 0), ISO_RETURN(SECCOMP_RET_TRAP)

inline constexpr uint32_t arg_low(unsigned n) {
    return static_cast<uint32_t>(offsetof(seccomp_data, args) + 8 * n);
}
inline constexpr uint32_t arg_high(unsigned n) {
    return arg_low(n) + 4;
}
inline constexpr uint32_t k_ip_low = offsetof(seccomp_data, instruction_pointer);
inline constexpr uint32_t k_ip_high = k_ip_low + 4;

/// High word of the first address that a mapper must not touch: guest user addresses end below it,
/// and with lengths under 4 GiB no range from below reaches the stub. Nor does a range that begins
/// in the first 4 GiB and is shorter than this: all that a program can have mapped goes in one
/// call.
inline constexpr uint32_t k_user_limit_high = 0x6000;

/// Index of the test whose value, the low word of the gate's address, is known at link time only.
inline constexpr size_t k_gate_check = 7;
/// And in the virtual CPU's filter, that of the constant signal mask.
inline constexpr size_t k_mask_check = 24;

// clang-format off
/// U's virtual CPU: futex wait and wake at the gate. Anything else at the gate is an attack;
/// anything anywhere else is guest user code's system call and becomes an event. One more call is
/// let through: setting the signal mask to one constant in read-only memory. The start needs it, as
/// no signal may arrive before this filter rules; for an attacker it changes nothing.
inline constexpr sock_filter k_virtual_cpu_filter[] = {
    ISO_LOAD(arch), ISO_ELSE_TRAP(AUDIT_ARCH_X86_64), // int 0x80, sysenter, compat mode
    ISO_LOAD_AT(k_ip_high), ISO_ELSE_TRAP(k_stub_base >> 32U),
    ISO_LOAD_AT(k_ip_low), ISO_ELSE_TRAP(0 /* the gate */),
    ISO_LOAD(nr),
    ISO_IF_EQ(SYS_futex, 0, 4), ISO_LOAD_AT(arg_low(1)), ISO_REQUIRE_BELOW(FUTEX_WAKE + 1), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_REQUIRE_EQ(SYS_rt_sigprocmask),
    ISO_LOAD_AT(arg_low(0)), ISO_REQUIRE_EQ(2 /* SIG_SETMASK */),
    ISO_LOAD_AT(arg_high(1)), ISO_REQUIRE_EQ(k_stub_base >> 32U),
    ISO_LOAD_AT(arg_low(1)), ISO_REQUIRE_EQ(0 /* the mask */),
    ISO_LOAD_AT(arg_low(2)), ISO_REQUIRE_EQ(0),
    ISO_LOAD_AT(arg_high(2)), ISO_REQUIRE_EQ(0),
    ISO_RETURN(SECCOMP_RET_ALLOW),
};

/// U's mapper: maps the domain's memory and nothing else, at guest user addresses and nowhere else.
/// It runs only its own loop, so any deviation ends the process.
inline constexpr sock_filter k_mapper_filter[] = {
    ISO_LOAD(arch), ISO_REQUIRE_EQ(AUDIT_ARCH_X86_64),
    ISO_LOAD(nr),
    ISO_IF_EQ(SYS_futex, 0, 4), ISO_LOAD_AT(arg_low(1)), ISO_REQUIRE_BELOW(FUTEX_WAKE + 1), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_IF_EQ(SYS_write, 0, 4), ISO_LOAD_AT(arg_low(0)), ISO_REQUIRE_EQ(k_ack_fd), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_LOAD_AT(arg_high(0)), ISO_REQUIRE_BELOW(k_user_limit_high),
    ISO_LOAD_AT(arg_high(1)), ISO_IF_EQ(0, 9, 0), // 4 GiB and more: munmap from within the first 4 GiB
    ISO_REQUIRE_BELOW(k_user_limit_high), ISO_LOAD_AT(arg_high(0)), ISO_REQUIRE_EQ(0), ISO_LOAD(nr), ISO_REQUIRE_EQ(SYS_munmap), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_LOAD(nr), ISO_IF_EQ(SYS_munmap, 0, 1), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_LOAD_AT(arg_low(2)), ISO_REQUIRE_BELOW(8), // protection
    ISO_LOAD(nr), ISO_IF_EQ(SYS_mprotect, 0, 1), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_REQUIRE_EQ(SYS_mmap),
    ISO_LOAD_AT(arg_low(3)), ISO_IF_EQ(0x8011, 2, 0) /* MAP_SHARED|MAP_FIXED|MAP_POPULATE */, ISO_REQUIRE_EQ(0x11),
    ISO_LOAD_AT(arg_low(4)), ISO_REQUIRE_EQ(k_ram_fd),
    ISO_LOAD_AT(arg_high(5)), ISO_REQUIRE_EQ(0),
    ISO_RETURN(SECCOMP_RET_ALLOW),
};

/// K: at its gate, futex wait and wake, a ring of the monitor's bell, and the mappers'
/// acknowledgements. Guest kernel code that makes a host system call traps and is reported.
inline constexpr sock_filter k_kernel_filter[] = {
    ISO_LOAD(arch), ISO_ELSE_TRAP(AUDIT_ARCH_X86_64),
    ISO_LOAD_AT(k_ip_high), ISO_ELSE_TRAP(k_stub_base >> 32U),
    ISO_LOAD_AT(k_ip_low), ISO_ELSE_TRAP(0 /* the gate */),
    ISO_LOAD(nr),
    ISO_IF_EQ(SYS_futex, 0, 4), ISO_LOAD_AT(arg_low(1)), ISO_REQUIRE_BELOW(FUTEX_WAKE + 1), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_IF_EQ(SYS_read, 0, 4), ISO_LOAD_AT(arg_low(0)), ISO_REQUIRE_EQ(k_ack_fd), ISO_RETURN(SECCOMP_RET_ALLOW),
    ISO_REQUIRE_EQ(SYS_write), ISO_LOAD_AT(arg_low(0)), ISO_REQUIRE_EQ(k_bell_fd),
    ISO_RETURN(SECCOMP_RET_ALLOW),
};
// clang-format on
static_assert(k_virtual_cpu_filter[k_gate_check - 1].k == k_ip_low &&
              k_kernel_filter[k_gate_check - 1].k == k_ip_low);
static_assert(k_virtual_cpu_filter[k_mask_check - 1].k == arg_low(1) &&
              k_virtual_cpu_filter[k_mask_check].k == 0);

} // namespace iso::pv
