#pragma once

#include "guest/kernel/thread.hpp"

namespace iso::guest {

/// What the end of a thread means to others that wait in user space: set_tid_address(2)'s word is
/// cleared and woken, robust mutexes that it holds are handed on.
void leave_futexes(Thread& thread);

} // namespace iso::guest
