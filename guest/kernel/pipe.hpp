#pragma once

#include "guest/kernel/file.hpp"

namespace iso::guest {

struct Node;

/// Two open files that are the ends of a new pipe; -ENOMEM. `flags`: O_NONBLOCK.
Result make_pipe(OpenFile*& reader, OpenFile*& writer, u32 flags);
/// Opens a named pipe as fifo(7) says: waits for the other end, unless O_NONBLOCK or O_RDWR.
Result open_fifo(Node& node, u32 flags, OpenFile*& file);
/// Its node goes away.
void forget_fifo(Node& node);
bool is_pipe(OpenFile const& file);
/// What st_ino and /proc/PID/fd show of an unnamed pipe's end; 0 when it is none.
u64 pipe_number(OpenFile const& file);

} // namespace iso::guest
