#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

/// One PT_LOAD segment, addresses already moved to where the program goes.
struct Segment {
    UserAddr start;  // page-aligned
    UserAddr end;    // page-aligned
    u64 file_offset; // of `start`, page-aligned
    u64 file_bytes;  // from `start` on; zeros behind
    u8 protection;
    bool zero_tail; // what lies behind the file's bytes reads as zeros
};

/// A static executable, checked: every segment lies inside the file and inside the program's
/// addresses.
struct ElfImage {
    static constexpr u32 k_segments = 16;
    Segment segments[k_segments] = {};
    u32 segment_count = 0;
    UserAddr entry = 0;
    UserAddr base = 0;    // what was added to the file's addresses
    UserAddr headers = 0; // AT_PHDR; 0 when not mapped
    u16 header_count = 0;
    u16 header_bytes = 0;
    UserAddr end = 0; // behind the last segment: the heap starts there
};

/// Reads the headers of a file of `size` bytes, the first `there` of which are at `file`: the
/// headers have to lie in them. -ENOEXEC when it is not a static x86-64 executable that can be
/// mapped.
Result read_elf(u8 const* file, u64 there, u64 size, ElfImage& image);

} // namespace iso::guest
