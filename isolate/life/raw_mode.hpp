#pragma once

#include "common/fd.hpp"

#include <termios.h>

#include <sys/types.h>

namespace iso::jail {

/// Puts the caller's terminal into raw mode: every key goes to the jail. Undone at the end; should
/// this process be killed, by a process of its own that waits for just that.
class [[nodiscard]] RawMode {
public:
    RawMode() = default;
    ~RawMode() { restore(); }
    RawMode(RawMode const&) = delete;
    RawMode& operator=(RawMode const&) = delete;

    /// Does nothing when `terminal` is none.
    Result<void> enter(int terminal);
    void restore();

private:
    int terminal_ = -1;
    termios before_{};
    Fd alive_; ///< closed by our end, however that comes
    pid_t guard_ = -1;
};

} // namespace iso::jail
