#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

/// Fills the program's memory with random bytes of the host. Bytes written, or an error.
Result random_out(UserAddr to, u64 bytes);

/// The same for memory of the kernel's own, in neighbouring frames.
Result random_bytes(void* to, u64 bytes);

} // namespace iso::guest
