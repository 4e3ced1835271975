#pragma once

// Where the hypervisor enters the kernel, and how the kernel leaves it.
#include "common/abi/hypercall_abi.h"
#include "guest/kernel/trap.hpp"
#include "guest/port/pv/layout.h"

// Hidden: their addresses are taken, and the kernel has no global offset table.
#pragma GCC visibility push(hidden)
extern "C" iso::guest::u8 iso_boot_stack[];

namespace iso::guest::pv {

inline constexpr u64 k_kernel_stack_bytes = ISO_KERNEL_STACK_BYTES;

/// Handlers of all exceptions, for ISO_HC_SET_TRAP_TABLE.
iso_trap_info const* trap_table();
[[noreturn]] void syscall_callback(TrapFrame* frame, u32 vector);
[[noreturn]] void event_callback(TrapFrame* frame, u32 vector);
[[noreturn]] void return_to_user(TrapFrame const& frame);

} // namespace iso::guest::pv
#pragma GCC visibility pop
