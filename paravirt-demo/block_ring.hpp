#pragma once

#include "common/abi/hypercall_abi.h"
#include "common/machine/disk_file.hpp"
#include "common/machine/guest_memory.hpp"

#include <cstdint>

namespace iso::pv {

/// The monitor's end of the disk's ring (hypercall_abi.h): the back end of a split driver.
///
/// The ring lies in guest memory and is hostile: a request is copied out once, what was taken is
/// counted here and not there, and each segment goes through GuestMemory::at().
class BlockRing {
public:
    BlockRing(GuestMemory const& memory, DiskFile& disk)
        : memory_(&memory)
        , disk_(&disk) {}

    /// ISO_HC_BLOCK_OP. 0 or -errno.
    std::int64_t operate(std::uint64_t operation, std::uint64_t argument);
    /// The guest sent ISO_EVENT_DISK: answers all requests that are there. True: there were some.
    /// `result` is what the hypercall returns: -EINVAL for a ring that makes no sense, which is
    /// not connected any more then.
    bool serve(std::int64_t& result);

    [[nodiscard]] std::uint64_t notifications() const { return notifications_; }

private:
    std::int32_t answer(iso_block_request const& request);
    [[nodiscard]] GuestPhys at(std::uint64_t offset) const { return {ring_ + offset}; }

    GuestMemory const* memory_;
    DiskFile* disk_;
    std::uint64_t ring_ = 0;
    bool connected_ = false;
    std::uint32_t taken_ = 0; ///< requests, as request_producer counts them
    std::uint64_t notifications_ = 0;
};

} // namespace iso::pv
