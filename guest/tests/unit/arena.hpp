#pragma once

#include "guest/kernel/frame.hpp"
#include "tests/support/catch.hpp"

#include <cstring>

#include <sys/mman.h>

namespace iso::guest::test {

// Guest-physical memory of the unit tests, at the place that the kernel's linear map has there. One
// for the whole process, because the kernel's parts keep what they allocated: RAM of the kernel's
// allocator, then room for modules, then room for allocators of a test's own.
inline constexpr u64 k_ram = 64 << 20;
inline constexpr Gpa k_modules = k_ram;
inline constexpr Gpa k_own = k_ram + (2 << 20);
inline constexpr u64 k_own_bytes = 32 << 20;

inline void need_arena() {
    static bool const ready = [] {
        void* const place = ::mmap(linear(0), k_own + k_own_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (place != static_cast<void*>(linear(0))) return false;
        frames.init(ISO_FREE_GPA, k_ram);
        return true;
    }();
    REQUIRE(ready);
}

/// An allocator of `bytes`, apart from the kernel's.
inline FrameAllocator own_allocator(u64 bytes) {
    need_arena();
    std::memset(linear(k_own), 0, k_own_bytes);
    FrameAllocator allocator;
    allocator.init(k_own, k_own + bytes);
    return allocator;
}

} // namespace iso::guest::test
