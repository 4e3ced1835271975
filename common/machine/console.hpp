#pragma once

#include "common/machine/guest_memory.hpp"

#include <cstdint>
#include <span>

#include <sys/uio.h>

namespace iso {

/// Writes all of `parts` to a host descriptor, straight from where they lie: over short writes, and
/// waiting where the descriptor does not block. Gives up when the engine was told to stop.
/// Returns the bytes written, or -errno when there were none.
/// `last_words`: the stop was already asked for and this is what the guest said before it; it is
/// still written, as far as that is possible within a moment.
std::int64_t write_parts(int fd, std::span<iovec> parts, bool last_words = false);

/// The engine's end of the console ring (struct iso_console).
class Console {
public:
    explicit Console(GuestMemory const& memory)
        : memory_(memory) {}

    /// Writes out what is waiting. Returns 0 or -errno: EINVAL when the guest's indices make no
    /// sense, EBADF for a descriptor other than 1 and 2, else the write's own error. What could not
    /// be written is dropped, as a pipe's reader that has gone away would.
    std::int64_t drain(bool last_words = false);

private:
    GuestMemory const& memory_;
    std::uint32_t head_ = 0; ///< ours; the copy in guest memory is written and never believed
};

} // namespace iso
