#include "vmm-mini/virtio/queue.hpp"

#include <atomic>
#define VIRTIO_RING_NO_LEGACY // its inline functions are C
#include <linux/virtio_ring.h>

namespace iso::vmm {

namespace {

// Where the parts of the two rings lie (virtio 1.2, 2.7.6 and 2.7.8): flags, idx, then entries.
constexpr std::uint64_t k_index = 2;
constexpr std::uint64_t k_entries = 4;

} // namespace

bool VirtioQueue::enable(Setup const& setup) {
    constexpr std::uint64_t k_wrap_free = std::uint64_t{1} << 48U;
    bool const power_of_two = setup.size != 0 && (setup.size & (setup.size - 1)) == 0;
    bool const aligned =
        setup.descriptors % 16 == 0 && setup.available % 2 == 0 && setup.used % 4 == 0;
    bool const small = setup.descriptors < k_wrap_free && setup.available < k_wrap_free &&
                       setup.used < k_wrap_free;
    if (!power_of_two || setup.size > k_most || !aligned || !small) return false;
    setup_ = setup;
    taken_ = given_ = 0;
    why_ = nullptr;
    return enabled_ = true;
}

std::optional<VirtioChain> VirtioQueue::fail(char const* why) {
    why_ = why;
    enabled_ = false;
    return std::nullopt;
}

/// Adds the buffer of one descriptor. False: it breaks the rules, and `why_` says how.
bool VirtioQueue::add(std::uint16_t index, VirtioChain& chain, std::uint16_t& following,
                      bool& last) {
    auto const refuse = [this](char const* why) {
        fail(why);
        return false;
    };
    if (index >= setup_.size) return refuse("a descriptor's number is larger than the queue");
    auto const descriptor = memory_->fetch<vring_desc>(
        {setup_.descriptors + std::uint64_t{index} * sizeof(vring_desc)});
    if (!descriptor) return refuse("the descriptors do not lie in memory");
    if ((descriptor->flags & VRING_DESC_F_INDIRECT) != 0)
        return refuse("an indirect descriptor, which was not negotiated");
    bool const writable = (descriptor->flags & VRING_DESC_F_WRITE) != 0;
    if (!writable && !chain.writable.empty())
        return refuse("a buffer to be read behind one to be written");
    auto const bytes =
        memory_->at({descriptor->addr}, descriptor->len, writable ? Access::write : Access::read);
    if (!bytes) return refuse("a buffer does not lie in memory");
    (writable ? chain.writable : chain.readable).push_back({bytes->data(), bytes->size()});
    following = descriptor->next;
    last = (descriptor->flags & VRING_DESC_F_NEXT) == 0;
    return true;
}

std::optional<VirtioChain> VirtioQueue::next() {
    if (!enabled_) return std::nullopt;
    auto const index = memory_->fetch<std::uint16_t>({setup_.available + k_index});
    if (!index) return fail("the available ring does not lie in memory");
    std::atomic_thread_fence(std::memory_order_acquire); // its entries after its index
    auto const waiting = static_cast<std::uint16_t>(*index - taken_);
    if (waiting == 0) return std::nullopt;
    if (waiting > setup_.size) return fail("more chains are available than the queue is long");
    auto const head = memory_->fetch<std::uint16_t>(
        {setup_.available + k_entries + std::uint64_t{2} * (taken_ % setup_.size)});
    if (!head) return fail("the available ring does not lie in memory");
    VirtioChain chain;
    chain.head = *head;
    std::uint16_t at = *head;
    bool last = false;
    for (std::uint32_t length = 0; !last; ++length) {
        if (length == setup_.size) return fail("a chain is longer than the queue: it loops");
        if (!add(at, chain, at, last)) return std::nullopt;
    }
    ++taken_;
    return chain;
}

void VirtioQueue::finish(VirtioChain const& chain, std::uint32_t written) {
    if (!enabled_) return;
    vring_used_elem const element{chain.head, written};
    bool stored = memory_->store(
        {setup_.used + k_entries + std::uint64_t{8} * (given_ % setup_.size)}, element);
    std::atomic_thread_fence(std::memory_order_release);
    ++given_;
    stored = stored && memory_->store({setup_.used + k_index}, given_);
    if (!stored) fail("the used ring does not lie in memory");
}

bool VirtioQueue::wants_interrupt() const {
    auto const flags = memory_->fetch<std::uint16_t>({setup_.available});
    return enabled_ && flags && (*flags & VRING_AVAIL_F_NO_INTERRUPT) == 0;
}

} // namespace iso::vmm
