#pragma once

#include "common/fd.hpp"

#include <csignal>

#include <sys/types.h>

namespace iso {

/// Owns a pidfd: a handle on a process that cannot be confused with a later one (pidfd_open(2)).
class [[nodiscard]] Pidfd {
public:
    Pidfd() = default;
    explicit Pidfd(Fd fd)
        : fd_(std::move(fd)) {}

    static Result<Pidfd> open(pid_t pid);

    /// Sends a signal; a process that is already gone is not an error.
    Result<void> send(int signal) const;

    [[nodiscard]] int get() const { return fd_.get(); }
    [[nodiscard]] bool valid() const { return fd_.valid(); }

private:
    Fd fd_;
};

} // namespace iso
