#pragma once

// What a hostile guest kernel works with: the boundary's pages as it sees them, hypercalls, and
// host system calls from where they are forbidden.
#include "common/abi/guest_abi.h"
#include "common/abi/hypercall_abi.h"
#include "guest/port/pv/hypercall.hpp"
#include "paravirt-demo/stub/boundary.hpp"

namespace iso::pv::hostile {

using u32 = uint32_t;
using u64 = uint64_t;
using i64 = int64_t;

inline constexpr u64 k_held = 0;
inline constexpr u64 k_usage = 2;
inline constexpr u64 k_hole = 99;
inline constexpr i64 k_enosys = -38;
inline constexpr i64 k_eagain = -11;

template <typename T>
inline T volatile& at(u64 address) {
    return *reinterpret_cast<T volatile*>(address);
}
template <typename T>
inline T volatile& physical(u64 address) {
    return at<T>(ISO_KERNEL_BASE + address);
}
inline Control volatile& control() {
    return at<Control>(k_control_base);
}

/// By any number, also one that there is not.
inline i64 hypercall(u64 number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0) {
    return guest::pv::hypercall(static_cast<iso_hypercall>(number), a, b, c, d, e);
}

inline i64 ring(u32 operation) {
    physical<u32>(ISO_DOORBELL_GPA) = operation;
    return hypercall(ISO_HC_DOORBELL, operation);
}

[[noreturn]] inline void end_with(u64 status) {
    auto volatile& bell = physical<iso_doorbell>(ISO_DOORBELL_GPA);
    bell.range_count = 0;
    bell.argument[0] = 0;
    bell.argument[1] = status;
    for (;;)
        ring(ISO_OP_EXIT);
}

/// A host system call from the kernel's own text.
inline i64 raw(u64 number, u64 a = 0, u64 b = 0, u64 c = 0) {
    i64 result = static_cast<i64>(number);
    asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

/// A host system call at the stub's gate, found by its bytes: syscall; ret.
inline i64 at_gate(u64 number, u64 a, u64 b, u64 c, u64 d = 0) {
    u64 gate = k_stub_base;
    while (at<u32>(gate) << 8U != 0xc3050f00U)
        ++gate;
    i64 result = static_cast<i64>(number);
    register u64 r10 asm("r10") = d;
    asm volatile("call *%[gate]"
                 : "+a"(result)
                 : [gate] "r"(gate), "D"(a), "S"(b), "d"(c), "r"(r10)
                 : "rcx", "r11", "memory");
    return result;
}

inline char const* g_canary = "";
inline u64 canary() {
    return reinterpret_cast<u64>(g_canary);
}

// Wild words: null, small, not canonical, the stub, the control page, kernel text, all ones.
inline constexpr u64 k_wild[] = {0,
                                 1,
                                 u64{1} << 63U,
                                 0x8000'0000'0000,
                                 k_stub_base,
                                 k_control_base,
                                 ISO_KERNEL_BASE + ISO_KERNEL_GPA,
                                 ~u64{0}};
inline constexpr u64 k_wild_count = sizeof k_wild / sizeof k_wild[0];

inline u64 new_space() {
    return static_cast<u64>(hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_SPACE));
}

/// The request itself, without the stub's help: numbers and arguments as K writes them.
inline i64 ask(u32 number, u64 a, u64 b = 0) {
    control().request_number = number;
    control().request_argument[0] = a;
    control().request_argument[1] = b;
    u32 const sequence = control().request_seq + 1;
    control().request_seq = sequence;
    u64 const one = 1;
    at_gate(1, k_bell_fd, reinterpret_cast<u64>(&one), 8);
    while (control().answer_seq != sequence)
        asm volatile("pause");
    return control().answer;
}

inline CommandPage volatile& commands(u64 slot) {
    return at<CommandPage>(k_slots_base + slot * k_slot_bytes);
}
inline EventPage volatile& events(u64 slot) {
    return at<EventPage>(k_slots_base + slot * k_slot_bytes + k_page);
}

inline void command(u64 slot, u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    u32 const tail = commands(slot).tail;
    auto volatile& one = commands(slot).ring[tail % k_mapper_ring];
    one.kind = k_mapper_call;
    one.number = number;
    u64 const arguments[] = {a, b, c, d, e, f};
    for (unsigned i = 0; i < 6; ++i)
        one.argument[i] = arguments[i];
    commands(slot).tail = tail + 1;
    at_gate(202, reinterpret_cast<u64>(&commands(slot).tail), 1, 1, 0);
}

/// True once the monitor counts the address space among the dead: its identifier is given anew, or
/// asking it anything shows it. Here: what K is told in the slot.
inline bool dies(u64 slot) {
    for (unsigned i = 0; i < 2'000'000; ++i) {
        if (commands(slot).dead != 0) return true;
        asm volatile("pause");
        if (i % 1000 == 0) (void)hypercall(ISO_HC_XEN_VERSION);
    }
    return false;
}

} // namespace iso::pv::hostile
