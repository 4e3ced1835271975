#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/types.hpp"
#include "guest/kernel/wait_queue.hpp"

namespace iso::guest::console {

/// Writes the program's bytes to descriptor 1 or 2 of the engine. Small writes gather in the ring
/// and cross at a newline; larger ones cross at once, from where they lie.
Result write(u32 descriptor, UserAddr from, u64 bytes);
/// Reads the engine's stdin straight into the program's memory; -EAGAIN when there is nothing yet.
Result read(UserAddr to, u64 bytes);
/// Would read() return something at once?
bool has_input();
/// Has everything in the ring written out.
Result flush();

/// Those who wait for stdin; woken when has_input() has become true.
extern WaitQueue input_queue;

} // namespace iso::guest::console
