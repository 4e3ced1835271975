#pragma once

// The few types everything in the kernel speaks in.
#include "common/abi/guest_abi.h"

#include <cstddef>
#include <cstdint>

namespace iso::guest {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

/// A guest-physical address. Reached only through linear().
using Gpa = u64;
/// An address of the program: never dereferenced by the kernel, only walked (DESIGN section 4, rule
/// 2).
using UserAddr = u64;

inline constexpr u64 k_page = ISO_PAGE_SIZE;
inline constexpr unsigned k_page_bits = 12;

constexpr u64 page_down(u64 value) {
    return value & ~(k_page - 1);
}
constexpr u64 page_up(u64 value) {
    return (value + k_page - 1) & ~(k_page - 1);
}

// The host tests of the kernel's parts put the linear map elsewhere.
#ifndef ISO_LINEAR_BASE
#define ISO_LINEAR_BASE ISO_KERNEL_BASE
#endif

/// Where guest-physical memory appears in the kernel's half of every address space.
template <typename T = u8>
inline T* linear(Gpa gpa) {
    return reinterpret_cast<T*>(ISO_LINEAR_BASE + gpa);
}

inline Gpa gpa_of(void const* pointer) {
    return reinterpret_cast<u64>(pointer) - ISO_LINEAR_BASE;
}

template <typename T>
constexpr T smaller(T a, T b) {
    return a < b ? a : b;
}
template <typename T>
constexpr T larger(T a, T b) {
    return a > b ? a : b;
}

} // namespace iso::guest
