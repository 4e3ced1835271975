#include "vmm-mini/virtio/mmio.hpp"

#include <cstring>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

namespace iso::vmm {

namespace {

constexpr std::uint32_t k_magic = 0x74726976; // "virt"
constexpr std::uint32_t k_version = 2;
constexpr std::uint32_t k_vendor = 0x306f7369; // "iso0": there is no registry for these
constexpr std::uint32_t k_queue_reset = 0xc0;

void set_low(std::uint64_t& value, std::uint32_t word) {
    value = (value & ~std::uint64_t{0xffff'ffff}) | word;
}
void set_high(std::uint64_t& value, std::uint32_t word) {
    value = (value & 0xffff'ffff) | std::uint64_t{word} << 32U;
}

} // namespace

VirtioMmio::VirtioMmio(GuestMemory const& memory, GuestPhys base, VirtioBlock device,
                       std::function<void()> interrupt)
    : base_(base)
    , device_(device)
    , queue_(memory)
    , interrupt_(std::move(interrupt)) {}

void VirtioMmio::read(std::uint64_t gpa, std::span<std::byte> bytes) const {
    std::uint64_t const offset = gpa - base_.value;
    std::memset(bytes.data(), 0, bytes.size());
    if (offset >= VIRTIO_MMIO_CONFIG) {
        auto const config = device_.config();
        std::uint64_t const at = offset - VIRTIO_MMIO_CONFIG;
        for (std::size_t i = 0; i < bytes.size() && at + i < config.size(); ++i)
            bytes[i] = config[at + i];
        return;
    }
    if (bytes.size() != sizeof(std::uint32_t) || offset % sizeof(std::uint32_t) != 0) return;
    std::uint32_t const value = read_register(offset);
    std::memcpy(bytes.data(), &value, sizeof value);
}

void VirtioMmio::write(std::uint64_t gpa, std::span<std::byte const> bytes) {
    std::uint64_t const offset = gpa - base_.value;
    // Nothing in the configuration space can be written to.
    if (bytes.size() != sizeof(std::uint32_t) || offset % sizeof(std::uint32_t) != 0) return;
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    write_register(offset, value);
}

std::uint32_t VirtioMmio::read_register(std::uint64_t offset) const {
    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return k_magic;
    case VIRTIO_MMIO_VERSION:
        return k_version;
    case VIRTIO_MMIO_DEVICE_ID:
        return VirtioBlock::k_device_id;
    case VIRTIO_MMIO_VENDOR_ID:
        return k_vendor;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        return device_features_word_ < 2 ? static_cast<std::uint32_t>(VirtioBlock::features() >>
                                                                      (device_features_word_ * 32U))
                                         : 0;
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return selected_queue_ == 0 ? VirtioQueue::k_most : 0;
    case VIRTIO_MMIO_QUEUE_READY:
        return selected_queue_ == 0 && queue_.enabled() ? 1 : 0;
    case VIRTIO_MMIO_INTERRUPT_STATUS:
        return interrupt_status_;
    case VIRTIO_MMIO_STATUS:
        return status_;
    case VIRTIO_MMIO_SHM_LEN_LOW: // there is no shared memory: a length of all ones (4.2.2)
    case VIRTIO_MMIO_SHM_LEN_HIGH:
    case VIRTIO_MMIO_SHM_BASE_LOW:
    case VIRTIO_MMIO_SHM_BASE_HIGH:
        return ~std::uint32_t{0};
    default: // the generation, too: the configuration never changes
        return 0;
    }
}

void VirtioMmio::write_register(std::uint64_t offset, std::uint32_t value) {
    bool const settable = selected_queue_ == 0 && !queue_.enabled();
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        device_features_word_ = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        driver_features_word_ = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) != 0) break; // what was agreed stays
        if (driver_features_word_ == 0) set_low(driver_features_, value);
        if (driver_features_word_ == 1) set_high(driver_features_, value);
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        selected_queue_ = value;
        break;
    case VIRTIO_MMIO_QUEUE_NUM:
        if (settable) setup_.size = value;
        break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
        if (settable) set_low(setup_.descriptors, value);
        break;
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        if (settable) set_high(setup_.descriptors, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
        if (settable) set_low(setup_.available, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        if (settable) set_high(setup_.available, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_LOW:
        if (settable) set_low(setup_.used, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        if (settable) set_high(setup_.used, value);
        break;
    case VIRTIO_MMIO_QUEUE_READY:
        if (selected_queue_ == 0) set_ready(value != 0);
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        notify(value);
        break;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        interrupt_status_ &= ~value;
        break;
    case VIRTIO_MMIO_STATUS:
        set_status(value);
        break;
    case k_queue_reset: // not negotiated
    default:
        break;
    }
}

void VirtioMmio::set_status(std::uint32_t value) {
    if (value == 0) return reset();
    std::uint32_t const kept = status_ & VIRTIO_CONFIG_S_NEEDS_RESET;
    std::uint32_t asked = value & 0xff & ~std::uint32_t{VIRTIO_CONFIG_S_NEEDS_RESET};
    // Features that were not offered, or the old interface: the driver finds its bit missing
    // (3.1.1).
    constexpr std::uint64_t k_modern = std::uint64_t{1} << VIRTIO_F_VERSION_1;
    bool const agreed =
        (driver_features_ & ~VirtioBlock::features()) == 0 && (driver_features_ & k_modern) != 0;
    if (!agreed) asked &= ~std::uint32_t{VIRTIO_CONFIG_S_FEATURES_OK};
    status_ = asked | kept;
}

void VirtioMmio::set_ready(bool ready) {
    if (!ready) return queue_.disable();
    if (queue_.enabled() || (status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0 || why_ != nullptr) return;
    (void)queue_.enable(setup_); // the driver sees that it is not ready
}

void VirtioMmio::reset() {
    queue_.disable();
    setup_ = {};
    status_ = interrupt_status_ = selected_queue_ = 0;
    device_features_word_ = driver_features_word_ = 0;
    driver_features_ = 0;
    why_ = nullptr;
}

bool VirtioMmio::running() const {
    constexpr std::uint32_t k_live = VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;
    constexpr std::uint32_t k_dead = VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED;
    return (status_ & k_live) == k_live && (status_ & k_dead) == 0;
}

void VirtioMmio::needs_reset(char const* why) {
    why_ = why;
    status_ |= VIRTIO_CONFIG_S_NEEDS_RESET;
    interrupt_status_ |= VIRTIO_MMIO_INT_CONFIG;
    queue_.disable();
    if (interrupt_) interrupt_();
}

// A driver that makes more available while it is served could keep this going for ever: one round
// of the ring is what one notification gets.
void VirtioMmio::notify(std::uint32_t queue) {
    ++notifications_;
    if (queue != 0 || !running()) return;
    bool finished = false;
    for (std::uint32_t i = 0; i < VirtioQueue::k_most; ++i) {
        auto chain = queue_.next();
        if (!chain) break;
        bool understood = false;
        std::uint32_t const written = device_.serve(*chain, understood);
        if (!understood) return needs_reset("a chain without a request header or a status byte");
        queue_.finish(*chain, written);
        finished = true;
    }
    if (queue_.broken() != nullptr) return needs_reset(queue_.broken());
    if (!finished) return;
    interrupt_status_ |= VIRTIO_MMIO_INT_VRING;
    if (interrupt_ && queue_.wants_interrupt()) interrupt_();
}

} // namespace iso::vmm
