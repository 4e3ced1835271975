#include "vmm-mini/virtio/block.hpp"

#include <algorithm>
#include <cstring>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

namespace iso::vmm {

namespace {

constexpr std::string_view k_identity = "isolab-disk";

/// Copies the first bytes of `parts` out and takes them away; false when there are not so many. A
/// driver may cut a request as it likes (virtio 1.2, 2.7.4).
template <typename T>
bool take_front(std::vector<iovec>& parts, T& value) {
    auto* to = reinterpret_cast<std::byte*>(&value);
    std::size_t missing = sizeof value;
    auto part = parts.begin();
    for (; part != parts.end() && missing != 0; ++part) {
        std::size_t const taken = std::min(missing, part->iov_len);
        std::memcpy(to, part->iov_base, taken);
        to += taken;
        missing -= taken;
        part->iov_base = static_cast<std::byte*>(part->iov_base) + taken;
        part->iov_len -= taken;
        if (part->iov_len != 0) break;
    }
    parts.erase(parts.begin(), part);
    return missing == 0;
}

/// The last byte, which it takes away; nullptr when there is none.
std::byte* take_last(std::vector<iovec>& parts) {
    while (!parts.empty() && parts.back().iov_len == 0)
        parts.pop_back();
    if (parts.empty()) return nullptr;
    iovec& last = parts.back();
    return static_cast<std::byte*>(last.iov_base) + --last.iov_len;
}

std::uint64_t length(std::vector<iovec> const& parts) {
    std::uint64_t bytes = 0;
    for (iovec const& part : parts)
        bytes += part.iov_len;
    return bytes;
}

std::uint8_t status_of(int code) {
    return code == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

void put_identity(std::vector<iovec> const& parts) {
    std::array<char, VIRTIO_BLK_ID_BYTES> text{};
    std::copy(k_identity.begin(), k_identity.end(), text.begin());
    std::size_t done = 0;
    for (iovec const& part : parts) {
        std::size_t const bytes = std::min(part.iov_len, text.size() - done);
        std::memcpy(part.iov_base, text.data() + done, bytes);
        done += bytes;
    }
}

} // namespace

std::uint64_t VirtioBlock::features() {
    return std::uint64_t{1} << VIRTIO_F_VERSION_1 | std::uint64_t{1} << VIRTIO_BLK_F_FLUSH |
           std::uint64_t{1} << VIRTIO_BLK_F_SEG_MAX;
}

std::array<std::byte, VirtioBlock::k_config_bytes> VirtioBlock::config() const {
    virtio_blk_config config{};
    config.capacity = disk_->sectors();
    config.seg_max = VirtioQueue::k_most - 2; // without header and status
    static_assert(sizeof config >= k_config_bytes);
    std::array<std::byte, k_config_bytes> bytes{};
    std::memcpy(bytes.data(), &config, bytes.size());
    return bytes;
}

std::uint32_t VirtioBlock::serve(VirtioChain& chain, bool& understood) {
    virtio_blk_outhdr header{};
    understood = take_front(chain.readable, header);
    std::byte* const status = take_last(chain.writable);
    understood = understood && status != nullptr;
    if (!understood) return 0;
    std::uint64_t const room = length(chain.writable);
    std::uint64_t written = 0; // from the chain's first byte on, without gaps (2.7.8.2)
    std::uint8_t answer = VIRTIO_BLK_S_UNSUPP;
    switch (header.type) {
    case VIRTIO_BLK_T_IN:
        answer = status_of(disk_->read(header.sector, chain.writable));
        if (answer == VIRTIO_BLK_S_OK) written = room;
        break;
    case VIRTIO_BLK_T_OUT:
        answer = status_of(disk_->write(header.sector, chain.readable));
        break;
    case VIRTIO_BLK_T_FLUSH:
        answer = status_of(disk_->flush());
        break;
    case VIRTIO_BLK_T_GET_ID:
        written = std::min<std::uint64_t>(room, VIRTIO_BLK_ID_BYTES);
        put_identity(chain.writable);
        answer = VIRTIO_BLK_S_OK;
        break;
    default:
        break;
    }
    *status = std::byte{answer};
    if (written == room) ++written; // the status is right behind
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(written, ~std::uint32_t{0}));
}

} // namespace iso::vmm
