#pragma once

#include "common/abi/guest_abi.h"
#include "common/machine/console.hpp"
#include "common/machine/guest_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace iso {

/// One more than the largest operation that the engine knows.
inline constexpr std::size_t k_operations = ISO_OP_POPULATE + 1;

/// How the guest said that it ended.
struct GuestEnd {
    enum class Kind { exited, signalled, panicked } kind = Kind::panicked;
    int value = 0;       ///< exit status or signal
    std::string message; ///< of a panic
};

/// The device behind ISO_DOORBELL_PORT: all that a guest can ask of its engine.
///
/// Needs nothing but guest memory and file descriptors, so it is tested without a VM. Everything in
/// guest memory is hostile: a request is copied out once, every range goes through
/// GuestMemory::at(), and work whose amount the guest chooses ends when the engine is told to stop.
class Doorbell {
public:
    enum class Next { resume, ended, stopped };

    Doorbell(GuestMemory const& memory, bool trace)
        : memory_(memory)
        , console_(memory)
        , trace_(trace) {}

    /// Who makes an interrupt of the guest's at a moment of CLOCK_MONOTONIC (ns; 0: none). Returns
    /// 0 or -errno. Without one there is no timer, and the guest is told so.
    using SetTimer = std::function<std::int64_t(std::uint64_t deadline_ns)>;
    void set_timer_device(SetTimer set_timer) { set_timer_ = std::move(set_timer); }

    /// Serves the request in the doorbell page; `value` is what the guest sent to the port.
    Next ring(std::uint32_t value);

    /// Set once ring() answered `ended`.
    [[nodiscard]] std::optional<GuestEnd> const& end() const { return end_; }
    [[nodiscard]] Console& console() { return console_; }
    /// How often each operation was asked for, by its number; unknown ones count in [0].
    [[nodiscard]] std::array<std::uint64_t, k_operations> const& counts() const { return counts_; }
    /// "flush", "write", ...; nullptr for an unknown operation.
    static char const* name(std::uint32_t operation);

private:
    struct Request {
        std::uint32_t operation = 0;
        std::uint32_t range_count = 0;
        std::array<std::uint64_t, 8> argument{};
        std::array<iso_range, ISO_DOORBELL_RANGES> ranges{};
    };

    bool fetch();
    std::int64_t serve();
    std::int64_t write();
    std::int64_t read();
    std::int64_t copy();
    std::int64_t zero();
    std::int64_t populate();
    std::int64_t random();
    std::int64_t sleep();
    std::int64_t finish();
    std::int64_t panic();
    std::int64_t trace_syscall() const;
    std::int64_t collect(Access access, std::vector<iovec>& parts) const;

    GuestMemory const& memory_;
    Console console_;
    bool trace_;
    Request request_;
    SetTimer set_timer_;
    std::optional<GuestEnd> end_;
    std::array<std::uint64_t, k_operations> counts_{};
};

} // namespace iso
