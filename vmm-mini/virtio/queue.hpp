#pragma once

#include "common/machine/guest_memory.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/uio.h>

namespace iso::vmm {

/// A chain of descriptors as host memory: first what the device reads, then what it writes.
struct VirtioChain {
    std::uint16_t head = 0;
    std::vector<iovec> readable;
    std::vector<iovec> writable;
};

/// The device's side of a split virtqueue (virtio 1.2, 2.7).
///
/// All of it lies in guest memory and is hostile: each descriptor is copied out once, a chain is
/// never followed further than the queue is long, and every buffer goes through GuestMemory::at().
/// A queue that makes no sense is broken, and stays so until it is reset.
class VirtioQueue {
public:
    static constexpr std::uint32_t k_most = 256; ///< QueueNumMax

    /// As the driver set them up; nothing of it has been checked.
    struct Setup {
        std::uint32_t size = 0;
        std::uint64_t descriptors = 0;
        std::uint64_t available = 0;
        std::uint64_t used = 0;
    };

    explicit VirtioQueue(GuestMemory const& memory)
        : memory_(&memory) {}

    /// Starts with these; false when they are none that a queue can have.
    bool enable(Setup const& setup);
    void disable() {
        enabled_ = false;
        why_ = nullptr;
    }
    [[nodiscard]] bool enabled() const { return enabled_; }
    /// The driver broke the rules; see `why`.
    [[nodiscard]] char const* broken() const { return why_; }

    /// The next chain that the driver made available; nothing when there is none, or it is broken.
    std::optional<VirtioChain> next();
    /// Gives a chain back; `written`: how many bytes the device wrote to it.
    void finish(VirtioChain const& chain, std::uint32_t written);
    /// Wants the driver to be interrupted for what it gets back?
    [[nodiscard]] bool wants_interrupt() const;

private:
    std::optional<VirtioChain> fail(char const* why);
    bool add(std::uint16_t index, VirtioChain& chain, std::uint16_t& following, bool& last);

    GuestMemory const* memory_;
    Setup setup_;
    bool enabled_ = false;
    std::uint16_t taken_ = 0; ///< chains taken, modulo 2^16, as `idx` counts them
    std::uint16_t given_ = 0;
    char const* why_ = nullptr;
};

} // namespace iso::vmm
