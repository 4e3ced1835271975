#pragma once

/// The host kernel's signal frame in U's signal stack, as K reads and edits it in place.

#include "common/abi/hypercall_abi.h"
#include "paravirt-demo/stub/mapper_queue.hpp"

namespace iso::pv {

/// Writes guest registers into U's current frame; what a program must not choose is left out.
void put_registers(Space& space, iso_pv_frame const& frame);

/// Reads the registers of U's current event and says what it is: a trap vector, k_event_syscall or
/// k_event_tick. Everything read is U's word about itself and nothing more.
unsigned take_registers(Space& space, iso_pv_frame& frame);

/// The floating-point state that belongs to that frame, as memory of K: `bytes` in U's signal
/// stack, 64-byte aligned, wherever U says that it lies.
void* fpu_of_frame(Space& space, uint64_t bytes);

} // namespace iso::pv
