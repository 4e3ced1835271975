// The disk on the bare machine: a virtio block device with memory-mapped registers (virtio 1.2, 4.2
// and 5.2). The queue is notified through a port, and has been served when that returns.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/port.hpp"

#define VIRTIO_RING_NO_LEGACY // its inline functions are C
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

namespace iso::guest::port {

namespace {

constexpr u32 k_size = 128; // descriptors
constexpr u32 k_magic = 0x74726976;
constexpr i64 k_eio = -5;

// What device and driver share. The rings have a page of their own each.
struct Available {
    u16 flags;
    u16 index;
    u16 ring[k_size];
};
struct Used {
    u16 flags;
    u16 index;
    vring_used_elem ring[k_size];
};
struct Shared {
    alignas(k_page) vring_desc descriptor[k_size];
    Available available;
    alignas(k_page) Used used;
    alignas(k_page) virtio_blk_outhdr header[k_size]; // by the number of the first descriptor
    u8 status[k_size];
};
constexpr u32 k_shared_pages = sizeof(Shared) / k_page;

Shared* shared = nullptr;
bool dead = false; // the device and we do not understand each other any more

u32 volatile& reg(u32 offset) {
    return *linear<u32 volatile>(boot_info().disk_registers + offset);
}

void set_address(u32 low, void const* place) {
    Gpa const gpa = gpa_of(place);
    reg(low) = static_cast<u32>(gpa);
    reg(low + 4) = static_cast<u32>(gpa >> 32);
}

void add_status(u32 bit) {
    reg(VIRTIO_MMIO_STATUS) = reg(VIRTIO_MMIO_STATUS) | bit;
}

bool negotiate() {
    constexpr u32 k_flush = 1u << VIRTIO_BLK_F_FLUSH;
    constexpr u32 k_modern = 1u << (VIRTIO_F_VERSION_1 - 32);
    reg(VIRTIO_MMIO_STATUS) = 0;
    add_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    add_status(VIRTIO_CONFIG_S_DRIVER);
    reg(VIRTIO_MMIO_DEVICE_FEATURES_SEL) = 0;
    if ((reg(VIRTIO_MMIO_DEVICE_FEATURES) & k_flush) == 0) return false;
    reg(VIRTIO_MMIO_DEVICE_FEATURES_SEL) = 1;
    if ((reg(VIRTIO_MMIO_DEVICE_FEATURES) & k_modern) == 0) return false;
    reg(VIRTIO_MMIO_DRIVER_FEATURES_SEL) = 0;
    reg(VIRTIO_MMIO_DRIVER_FEATURES) = k_flush;
    reg(VIRTIO_MMIO_DRIVER_FEATURES_SEL) = 1;
    reg(VIRTIO_MMIO_DRIVER_FEATURES) = k_modern;
    add_status(VIRTIO_CONFIG_S_FEATURES_OK);
    return (reg(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
}

bool make_queue() {
    reg(VIRTIO_MMIO_QUEUE_SEL) = 0;
    if (reg(VIRTIO_MMIO_QUEUE_NUM_MAX) < k_size) return false;
    Gpa const place = frames.take_contiguous(k_shared_pages);
    if (place == 0) return false;
    zero(place, k_shared_pages * k_page);
    shared = linear<Shared>(place);
    shared->available.flags = VRING_AVAIL_F_NO_INTERRUPT;
    reg(VIRTIO_MMIO_QUEUE_NUM) = k_size;
    set_address(VIRTIO_MMIO_QUEUE_DESC_LOW, shared->descriptor);
    set_address(VIRTIO_MMIO_QUEUE_AVAIL_LOW, &shared->available);
    set_address(VIRTIO_MMIO_QUEUE_USED_LOW, &shared->used);
    reg(VIRTIO_MMIO_QUEUE_READY) = 1;
    return reg(VIRTIO_MMIO_QUEUE_READY) == 1;
}

// Requests that are put into the queue together.
class Round {
public:
    // One request, its data in up to `count` runs of neighbouring blocks; how many it took. 0: the
    // queue has no room for it before submit().
    u32 add(u32 type, BlockRun const* runs, u32 count) {
        constexpr u32 k_around = 2; // the header and the status
        if (used_ + k_around + (count != 0) > k_size) return 0;
        u32 const head = used_;
        u32 taken = 0;
        shared->header[head] = {type, 0, count != 0 ? runs->block * k_block_sectors : 0};
        describe(gpa_of(&shared->header[head]), sizeof(virtio_blk_outhdr), VRING_DESC_F_NEXT);
        u16 const direction = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;
        while (taken < count && used_ + 1 < k_size && follows(runs, taken)) {
            BlockRun const& run = runs[taken++];
            describe(run.first, static_cast<u32>(run.count * k_page),
                     static_cast<u16>(direction | VRING_DESC_F_NEXT));
        }
        shared->status[head] = 0xff;
        describe(gpa_of(&shared->status[head]), 1, VRING_DESC_F_WRITE);
        heads_[requests_++] = static_cast<u16>(head);
        return taken != 0 ? taken : 1;
    }

    // The device answers all of them.
    i64 submit() {
        if (requests_ == 0) return 0;
        Available& available = shared->available;
        for (u32 i = 0; i < requests_; ++i)
            available.ring[static_cast<u16>(available.index + i) % k_size] = heads_[i];
        auto const target = static_cast<u16>(available.index + requests_);
        __atomic_store_n(&available.index, target, __ATOMIC_RELEASE);
        asm volatile("outl %0, %1" : : "a"(0), "d"(static_cast<u16>(ISO_DISK_PORT)) : "memory");
        i64 result = 0;
        if (__atomic_load_n(&shared->used.index, __ATOMIC_ACQUIRE) != target) dead = true;
        for (u32 i = 0; i < requests_; ++i)
            if (dead || shared->status[heads_[i]] != VIRTIO_BLK_S_OK) result = k_eio;
        requests_ = used_ = 0;
        return result;
    }

private:
    static bool follows(BlockRun const* runs, u32 i) {
        return i == 0 || runs[i - 1].block + runs[i - 1].count == runs[i].block;
    }
    void describe(Gpa gpa, u32 bytes, u16 flags) {
        u32 const index = used_++;
        shared->descriptor[index] = {gpa, bytes, flags, static_cast<u16>(used_)};
    }

    u32 used_ = 0; // descriptors
    u32 requests_ = 0;
    u16 heads_[k_size / 2];
};

} // namespace

bool start_disk() {
    if (boot_info().disk_registers == 0 || reg(VIRTIO_MMIO_MAGIC_VALUE) != k_magic ||
        reg(VIRTIO_MMIO_VERSION) != 2 || reg(VIRTIO_MMIO_DEVICE_ID) != 2)
        return false;
    if (!negotiate() || !make_queue()) return false;
    add_status(VIRTIO_CONFIG_S_DRIVER_OK);
    return true;
}

i64 move_blocks(bool write, BlockRun const* runs, u32 count) {
    Round round;
    i64 result = 0;
    while (count != 0 && !dead) {
        u32 const taken = round.add(write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, runs, count);
        runs += taken;
        count -= taken;
        if (taken == 0 && round.submit() != 0) result = k_eio;
    }
    if (round.submit() != 0) result = k_eio;
    return dead ? k_eio : result;
}

i64 flush_disk() {
    if (dead) return k_eio;
    Round round;
    round.add(VIRTIO_BLK_T_FLUSH, nullptr, 0);
    return round.submit();
}

} // namespace iso::guest::port
