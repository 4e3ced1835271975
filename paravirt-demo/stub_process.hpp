#pragma once

#include "common/fd.hpp"
#include "common/pidfd.hpp"
#include "common/result.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include <sys/resource.h>
#include <sys/types.h>

namespace iso::pv {

/// A stub as a file that can be executed: an anonymous one, made once and started many times.
Result<Fd> make_executable(char const* name, std::span<std::byte const> image);

/// The descriptors that a stub gets, at fixed numbers (boundary.hpp). -1: none.
struct StubDescriptors {
    int ram = -1;
    int control = -1;
    int acknowledge = -1;
    int bell = -1;
};

/// Owns a running stub; ends and reaps it.
class StubProcess {
public:
    StubProcess() = default;
    StubProcess(StubProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, -1))
        , pidfd_(std::move(other.pidfd_)) {}
    StubProcess& operator=(StubProcess&& other) noexcept {
        std::swap(pid_, other.pid_);
        std::swap(pidfd_, other.pidfd_);
        return *this;
    }
    ~StubProcess() { end(); }

    /// Starts `program` with the slot number as its one argument, an empty environment and nothing
    /// open but the descriptors given. Precondition: the caller has one thread.
    static Result<StubProcess> start(Fd const& program, unsigned slot,
                                     StubDescriptors const& descriptors);

    [[nodiscard]] bool running() const { return pid_ > 0; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] int pidfd() const { return pidfd_.get(); }
    void send(int signal) const;
    /// Kills it if need be and waits for it. Returns its wait status, and adds what it used.
    int end(rusage* usage = nullptr);

private:
    pid_t pid_ = -1;
    Pidfd pidfd_;
};

} // namespace iso::pv
