#pragma once

#include "guest/kernel/elf_image.hpp"
#include "guest/kernel/text.hpp"

namespace iso::guest {

/// What a program finds on its stack (System V ABI, AMD64 supplement, 3.4.1).
struct StackContents {
    Text strings; // argv strings, then envp strings, each zero-terminated
    u32 argument_count;
    u32 environment_count;
    Text executable;  // AT_EXECFN
    u8 const* random; // 16 bytes
    ElfImage const* image;
    u32 uid, gid;
    u32 hardware_capabilities;
};

/// How many bytes build_stack() will need at most.
u64 stack_size(StackContents const& contents);

/// Builds the initial stack in memory that ends at `end` here and at `user_end` for the program.
/// Returns the program's stack pointer.
UserAddr build_stack(u8* end, UserAddr user_end, StackContents const& contents);

} // namespace iso::guest
