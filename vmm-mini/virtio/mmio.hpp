#pragma once

#include "vmm-mini/virtio/block.hpp"
#include "vmm-mini/virtio/queue.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace iso::vmm {

/// The virtio-mmio register block of a device with one queue (virtio 1.2, 4.2.2, version 2).
///
/// Registers are read and written in whole 32-bit words, the configuration space in any size; other
/// accesses read as zeros and write nothing, as on a bus where nobody answers. What the driver does
/// out of order is not done.
class VirtioMmio {
public:
    static constexpr std::uint64_t k_bytes = 4096; ///< of the window; registers fill 0x200 of it

    /// `interrupt` is called when the driver is to be told that it got something back; it may be
    /// empty.
    VirtioMmio(GuestMemory const& memory, GuestPhys base, VirtioBlock device,
               std::function<void()> interrupt = {});

    [[nodiscard]] bool contains(std::uint64_t gpa) const {
        return gpa >= base_.value && gpa - base_.value < k_bytes;
    }
    /// Precondition: contains(gpa); `bytes` has at most 8.
    void read(std::uint64_t gpa, std::span<std::byte> bytes) const;
    void write(std::uint64_t gpa, std::span<std::byte const> bytes);
    /// What a write to QueueNotify does: everything that is available is answered when it returns.
    void notify(std::uint32_t queue);

    /// What the driver did wrong, if anything: the device wants a reset since.
    [[nodiscard]] char const* broken() const { return why_; }
    [[nodiscard]] std::uint64_t notifications() const { return notifications_; }
    [[nodiscard]] GuestPhys base() const { return base_; }

private:
    [[nodiscard]] std::uint32_t read_register(std::uint64_t offset) const;
    void write_register(std::uint64_t offset, std::uint32_t value);
    void set_status(std::uint32_t value);
    void set_ready(bool ready);
    void needs_reset(char const* why);
    void reset();
    [[nodiscard]] bool running() const;

    GuestPhys base_;
    VirtioBlock device_;
    VirtioQueue queue_;
    std::function<void()> interrupt_;
    VirtioQueue::Setup setup_;
    std::uint32_t status_ = 0;
    std::uint32_t interrupt_status_ = 0;
    std::uint32_t selected_queue_ = 0;
    std::uint32_t device_features_word_ = 0;
    std::uint32_t driver_features_word_ = 0;
    std::uint64_t driver_features_ = 0;
    std::uint64_t notifications_ = 0;
    char const* why_ = nullptr;
};

} // namespace iso::vmm
