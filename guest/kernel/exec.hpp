#pragma once

#include "guest/kernel/elf_image.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/stack_builder.hpp"

namespace iso::guest {

/// Where a program's stack ends.
inline constexpr UserAddr k_stack_top = ISO_USER_HIGH;

/// The program's segments become areas of an empty space; nothing is copied or read before it is
/// touched, but for what is sure to be. `areas` is memory for that many, or nullptr to allocate.
Result map_segments(AddressSpace& memory, ElfImage const& image, Node& file, Vma* areas);

/// Maps frames that hold a program's first stack at its place.
Result map_stack(AddressSpace& memory, FrameRun run, Vma& area);
/// Builds that stack in fresh frames; none when there is no memory.
FrameRun make_stack(StackContents const& contents, UserAddr& pointer);

/// All registers zero but these, as Linux starts a program.
void set_start(TrapFrame& frame, UserAddr entry, UserAddr stack);

/// execve(2) for the current process, on its way back to the program.
[[gnu::visibility("hidden")]] Result execute(TrapFrame& frame);

} // namespace iso::guest
