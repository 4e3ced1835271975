#include "guest/kernel/poll_mask.hpp"

#include "guest/kernel/process.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/signal.h>

namespace iso::guest {

Result set_temporary_mask(UserAddr mask, u64 bytes) {
    if (mask == 0) return 0;
    u64 wanted = 0;
    if (bytes != sizeof wanted) return -EINVAL;
    if (Result const result = get_user(wanted, mask); result != 0) return result;
    ThreadSignals& signals = this_thread().signals;
    signals.saved_mask = signals.blocked;
    signals.restore_mask = true;
    signals.blocked = wanted & ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
    return 0;
}

// When a signal ended the wait, its handler runs first, and the old mask comes back behind it.
Result end_temporary_mask(Result result) {
    ThreadSignals& signals = this_thread().signals;
    if (!signals.restore_mask) return result;
    if (result == -EINTR || is_restart(result)) {
        iso_work_pending = 1;
        return result;
    }
    signals.restore_mask = false;
    signals.blocked = signals.saved_mask;
    return result;
}

} // namespace iso::guest
