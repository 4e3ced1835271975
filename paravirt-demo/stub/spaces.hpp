#pragma once

/// The address spaces of the domain as K knows them, and the way into guest user code and back.

#include "paravirt-demo/stub/kernel_stub.hpp"
#include "paravirt-demo/stub/mapper_queue.hpp"

namespace iso::pv {

/// nullptr for an identifier that names no live address space.
Space* find_space(uint64_t identifier);
Space& current_space();
/// Asks the monitor for another process; its identifier, or -errno.
int64_t new_space();
int64_t free_space(uint64_t identifier);
/// Takes everything away that is mapped in it; returns when nothing of it can be reached.
int64_t forget_space(uint64_t identifier);
/// Returns once its process is ready and its frame holds a program's registers. A process that died
/// meanwhile never will be: its frame is memory as any other.
void settle(Space& space);
/// Makes it the one that enter_user() runs.
int64_t select_space(uint64_t identifier);

void set_handler(unsigned vector, uint64_t address);
void set_kernel_stack(uint64_t top);
[[nodiscard]] bool upcall_pending();

/// Runs guest user code with these registers until it traps, then enters the guest kernel's handler
/// on the kernel stack. An event that is already pending comes first.
[[noreturn]] void enter_user(iso_pv_frame const& frame);

} // namespace iso::pv
