#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

/// The signal mask that ppoll(2), pselect(2) and epoll_pwait(2) have while they wait: the set of
/// `bytes` bytes at `mask`; 0 leaves the mask alone.
Result set_temporary_mask(UserAddr mask, u64 bytes);
/// Ends that; a handler that interrupted the call still runs under the temporary mask. Returns
/// `result`.
Result end_temporary_mask(Result result);

} // namespace iso::guest
