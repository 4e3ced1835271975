#pragma once

#include "common/fd.hpp"

namespace iso::bench {

/// Made before the first process is started: else a probe could outlive an interrupted harness.
///
/// Turns SIGINT, SIGTERM and SIGHUP into something a measuring loop can poll for: the signals are
/// blocked while it lives and read from a signalfd(2), so that none is lost between two samples.
class [[nodiscard]] Interrupts {
public:
    /// Also makes this process the reaper of all its descendants (end_strays()).
    static Result<Interrupts> create();
    Interrupts(Interrupts&&) = default;
    Interrupts& operator=(Interrupts&&) = delete;
    ~Interrupts();

    /// Readable when the person (or the machine) asked to stop.
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// The signal that asked to stop, or 0. Once asked it stays so.
    [[nodiscard]] int pending();

private:
    explicit Interrupts(Fd fd)
        : fd_(std::move(fd)) {}
    Fd fd_;
    int signal_ = 0;
};

} // namespace iso::bench
