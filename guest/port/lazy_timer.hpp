#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

/// A one-shot timer whose device is dear to set: it is asked only when it would come too late. A
/// scheduler moves its deadline with every switch, nearly always to a later moment; the device then
/// fires early once in a while, and is asked again.
class LazyTimer {
public:
    /// What the device must be set to for `deadline` (0: none); 0: nothing needs to be done.
    u64 set(u64 deadline) {
        wanted_ = deadline;
        if (deadline == 0 || (armed_ != 0 && armed_ <= deadline)) return 0;
        return armed_ = deadline;
    }
    struct Fired {
        bool due;  // the deadline has passed
        u64 again; // what the device must be set to; 0: nothing
    };
    Fired fired(u64 now) {
        armed_ = 0;
        if (wanted_ == 0) return {false, 0};
        if (now < wanted_) return {false, armed_ = wanted_};
        wanted_ = 0;
        return {true, 0};
    }

private:
    u64 wanted_ = 0;
    u64 armed_ = 0; // when the device fires; it may have been cancelled or moved since
};

} // namespace iso::guest
