#pragma once

/// The parts of the guest kernel's process (K) that belong to the hypervisor. They run with the
/// guest kernel's own rights and so bind nobody: what protects the host is the filter, and what
/// protects other domains is the monitor. What they do is turn hypercalls into the boundary's
/// protocol.

#include "common/abi/hypercall_abi.h"
#include "paravirt-demo/stub/boundary.hpp"

#pragma GCC visibility push(hidden)
extern "C" {
extern char const iso_gate_return[];
long iso_gate_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
[[noreturn]] void iso_enter_handler(void* frame, uint64_t handler, unsigned vector);
[[noreturn]] void iso_kernel_finish(void const* filter, uint64_t entry, uint64_t boot_info);
void iso_signal_entry();
[[noreturn]] void iso_kernel_crashed(int signal, void const* info, void const* context);
}
#pragma GCC visibility pop

namespace iso::pv {

inline Control& control() {
    return *reinterpret_cast<Control*>(k_control_base);
}
inline iso_shared_info& shared_info() {
    return *reinterpret_cast<iso_shared_info*>(ISO_SHARED_INFO_VA);
}

/// futex(2) on memory shared between processes.
void futex_wait(uint32_t const* word, uint32_t value);
void futex_wake(uint32_t const* word);

/// Crosses to the monitor and waits for its answer. What concerns the host, a device, a timer or
/// another domain is decided there.
int64_t ask_monitor(uint32_t number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0,
                    uint64_t e = 0);

} // namespace iso::pv
