#pragma once

// How the pv port asks its hypervisor: a call into the hypercall page, Xen's registers.
#include "common/abi/hypercall_abi.h"
#include "guest/kernel/types.hpp"

namespace iso::guest::pv {

inline i64 hypercall(iso_hypercall number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0) {
    u64 const entry = ISO_HYPERCALL_PAGE + u64{number} * ISO_HYPERCALL_STRIDE;
    register u64 r10 asm("r10") = d;
    register u64 r8 asm("r8") = e;
    i64 result;
    asm volatile("call *%[entry]"
                 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                 : [entry] "a"(entry)
                 : "rcx", "r9", "r11", "memory", "cc");
    return result;
}

inline iso_shared_info& shared_info() {
    return *reinterpret_cast<iso_shared_info*>(ISO_SHARED_INFO_VA);
}

} // namespace iso::guest::pv
