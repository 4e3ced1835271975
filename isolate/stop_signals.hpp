#pragma once

#include "common/fd.hpp"

namespace iso::jail {

/// The signals that ask isolate to stop (SIGINT, SIGTERM, SIGHUP, SIGQUIT), received through a
/// descriptor. One that the caller ignores (as under nohup) stays ignored.
class StopSignals {
public:
    /// Blocks them and opens the descriptor. `also`: one more signal to receive, 0: none.
    Result<void> open(int also = 0);
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// The next signal, or 0.
    [[nodiscard]] int take() const;

private:
    Fd fd_;
};

} // namespace iso::jail
