#include "paravirt-demo/block_ring.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

namespace iso::pv {

static_assert(sizeof(iso_block_slot) == 256 && offsetof(iso_block_ring, slot) == 256);

std::int64_t BlockRing::operate(std::uint64_t operation, std::uint64_t argument) {
    if (operation != ISO_BLOCK_CONNECT) return -ENOSYS;
    if (argument % k_page != 0) return -EINVAL;
    if (!memory_->at({argument}, sizeof(iso_block_ring), Access::write)) return -EFAULT;
    ring_ = argument;
    taken_ = 0;
    connected_ = true;
    return 0;
}

bool BlockRing::serve(std::int64_t& result) {
    ++notifications_;
    result = connected_ ? 0 : -ENODEV;
    if (!connected_) return false;
    // Once: a guest that goes on adding is served with its next notification.
    auto const produced =
        memory_->fetch<std::uint32_t>(at(offsetof(iso_block_ring, request_producer)));
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!produced || *produced - taken_ > ISO_BLOCK_SLOTS) {
        connected_ = false;
        result = -EINVAL;
        return false;
    }
    std::uint32_t const first = taken_;
    while (taken_ != *produced) {
        GuestPhys const slot = at(offsetof(iso_block_ring, slot) +
                                  sizeof(iso_block_slot) * (taken_ % ISO_BLOCK_SLOTS));
        auto const request = memory_->fetch<iso_block_request>(slot);
        if (!request) break; // it was there when the ring was connected, and memory stays
        iso_block_response const response{request->id, request->operation, answer(*request)};
        (void)memory_->store(slot, response);
        ++taken_;
    }
    std::atomic_thread_fence(std::memory_order_release);
    (void)memory_->store(at(offsetof(iso_block_ring, response_producer)), taken_);
    return taken_ != first;
}

std::int32_t BlockRing::answer(iso_block_request const& request) {
    if (request.operation == ISO_BLOCK_FLUSH) return -disk_->flush();
    bool const write = request.operation == ISO_BLOCK_WRITE;
    if (!write && request.operation != ISO_BLOCK_READ) return -EOPNOTSUPP;
    if (request.segment_count > ISO_BLOCK_SEGMENTS) return -EINVAL;
    std::array<iovec, ISO_BLOCK_SEGMENTS> parts{};
    for (std::uint32_t i = 0; i < request.segment_count; ++i) {
        auto const bytes = memory_->at({request.segment[i].gpa}, request.segment[i].bytes,
                                       write ? Access::read : Access::write);
        if (!bytes) return -EFAULT;
        parts[i] = {bytes->data(), bytes->size()};
    }
    std::span<iovec> const used = std::span(parts).first(request.segment_count);
    return -(write ? disk_->write(request.sector, used) : disk_->read(request.sector, used));
}

} // namespace iso::pv
