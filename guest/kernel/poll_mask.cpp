#include "guest/kernel/poll_mask.hpp"

#include "guest/kernel/process.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/signal.h>

namespace iso::guest {

namespace {

u64 saved = 0;
bool is_set = false;

} // namespace

Result set_temporary_mask(UserAddr mask, u64 bytes) {
    if (mask == 0) return 0;
    u64 wanted = 0;
    if (bytes != sizeof wanted) return -EINVAL;
    if (Result const result = get_user(wanted, mask); result != 0) return result;
    Signals& signals = current().signals;
    saved = signals.blocked;
    is_set = true;
    signals.blocked = wanted & ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
    return 0;
}

Result end_temporary_mask(Result result) {
    if (is_set) current().signals.blocked = saved;
    is_set = false;
    return result;
}

} // namespace iso::guest
