#pragma once

#include "common/machine/disk_file.hpp"
#include "vmm-mini/virtio/queue.hpp"

#include <array>
#include <cstdint>

namespace iso::vmm {

/// A virtio block device (virtio 1.2, 5.2) on a file: its features, its configuration space, and
/// what a request does. How the driver reaches it is the transport's affair.
class VirtioBlock {
public:
    static constexpr std::uint32_t k_device_id = 2;
    static constexpr std::uint32_t k_config_bytes = 60;

    explicit VirtioBlock(DiskFile& disk)
        : disk_(&disk) {}

    [[nodiscard]] static std::uint64_t features();
    [[nodiscard]] std::array<std::byte, k_config_bytes> config() const;

    /// Does what the chain asks for and answers in its last byte; how many bytes were written to
    /// it. False in `understood`: it is no request, and there is nowhere to answer.
    std::uint32_t serve(VirtioChain& chain, bool& understood);

private:
    DiskFile* disk_;
};

} // namespace iso::vmm
