// The disk as a driver sees it, over plain memory: what the specification promises, and what a
// hostile driver gets.
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "vmm-mini/virtio/mmio.hpp"

#include <cstring>
#include <random>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#define VIRTIO_RING_NO_LEGACY // its inline functions are C
#include <linux/virtio_ring.h>

using namespace iso;
using namespace iso::vmm;

namespace {

constexpr std::uint64_t k_ram = 2 * k_large_page;
constexpr std::uint64_t k_base = k_ram + k_large_page;
constexpr std::uint64_t k_descriptors = 0x10000, k_available = 0x20000, k_used = 0x30000;
constexpr std::uint64_t k_header = 0x40000, k_data = 0x50000, k_status = 0x60000;
constexpr std::uint32_t k_size = 16;

struct Machine {
    TempDir directory = std::move(*TempDir::create("virtio"));
    GuestMemory memory = std::move(*GuestMemory::create(k_ram, k_large_page));
    DiskFile disk = std::move(*DiskFile::open(directory.path() + "/disk", 1U << 20U));
    int interrupts = 0;
    VirtioMmio device{memory, {k_base}, VirtioBlock(disk), [this] { ++interrupts; }};
    std::uint16_t made = 0;

    std::uint32_t get(std::uint64_t offset) {
        std::uint32_t value = 0;
        device.read(k_base + offset, std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
    void set(std::uint64_t offset, std::uint32_t value) {
        device.write(k_base + offset, std::as_bytes(std::span(&value, 1)));
    }
    void negotiate(std::uint64_t features) {
        set(VIRTIO_MMIO_STATUS, 0);
        set(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
        set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
        set(VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features));
        set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
        set(VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features >> 32U));
        set(VIRTIO_MMIO_STATUS, get(VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_FEATURES_OK);
    }
    void start() {
        negotiate(VirtioBlock::features());
        REQUIRE((get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK) != 0);
        set(VIRTIO_MMIO_QUEUE_NUM, k_size);
        set(VIRTIO_MMIO_QUEUE_DESC_LOW, k_descriptors);
        set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, k_available);
        set(VIRTIO_MMIO_QUEUE_USED_LOW, k_used);
        set(VIRTIO_MMIO_QUEUE_READY, 1);
        REQUIRE(get(VIRTIO_MMIO_QUEUE_READY) == 1);
        set(VIRTIO_MMIO_STATUS, get(VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
    }
    void describe(std::uint16_t index, std::uint64_t address, std::uint32_t bytes,
                  std::uint16_t flags, std::uint16_t next = 0) {
        vring_desc const descriptor{address, bytes, flags, next};
        REQUIRE(memory.store({k_descriptors + index * sizeof descriptor}, descriptor));
    }
    void offer(std::uint16_t head) {
        REQUIRE(memory.store({k_available + 4 + 2 * (made % k_size)}, head));
        REQUIRE(memory.store({k_available + 2}, ++made));
    }
    std::uint16_t finished() { return *memory.fetch<std::uint16_t>({k_used + 2}); }
    int status() { return std::to_integer<int>(*memory.fetch<std::byte>({k_status})); }
    bool dead() { return (get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET) != 0; }

    // One request in three descriptors, as drivers make them.
    int request(std::uint32_t type, std::uint64_t sector, std::uint32_t bytes) {
        virtio_blk_outhdr const header{type, 0, sector};
        REQUIRE(memory.store({k_header}, header));
        REQUIRE(memory.store({k_status}, std::byte{0xff}));
        bool const in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
        auto const direction =
            static_cast<std::uint16_t>(VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0));
        describe(0, k_header, sizeof header, VRING_DESC_F_NEXT, bytes != 0 ? 1 : 2);
        describe(1, k_data, bytes, direction, 2);
        describe(2, k_status, 1, VRING_DESC_F_WRITE);
        offer(0);
        device.notify(0);
        return status();
    }
};

} // namespace

TEST_CASE("virtio: the registers are those of a modern block device") {
    Machine machine;
    CHECK(machine.get(VIRTIO_MMIO_MAGIC_VALUE) == 0x74726976);
    CHECK(machine.get(VIRTIO_MMIO_VERSION) == 2);
    CHECK(machine.get(VIRTIO_MMIO_DEVICE_ID) == 2);
    CHECK(machine.get(VIRTIO_MMIO_QUEUE_NUM_MAX) == 256);
    CHECK(machine.get(VIRTIO_MMIO_CONFIG) == (1U << 20U) / 512);
    machine.set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    CHECK(machine.get(VIRTIO_MMIO_DEVICE_FEATURES) == 1);
    machine.set(VIRTIO_MMIO_QUEUE_SEL, 1);
    CHECK(machine.get(VIRTIO_MMIO_QUEUE_NUM_MAX) == 0);
}

TEST_CASE("virtio: features that were not offered, or no modern driver, are not agreed to") {
    Machine machine;
    for (std::uint64_t const features :
         {std::uint64_t{0}, VirtioBlock::features() | 1U << VIRTIO_RING_F_INDIRECT_DESC,
          VirtioBlock::features() & 0xffff'ffffU}) {
        machine.negotiate(features);
        CHECK((machine.get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK) == 0);
    }
    machine.set(VIRTIO_MMIO_QUEUE_READY, 1);
    CHECK(machine.get(VIRTIO_MMIO_QUEUE_READY) == 0);
}

TEST_CASE("virtio: what is written is read again, and the device says who it is") {
    Machine machine;
    machine.start();
    auto const data = *machine.memory.at({k_data}, 4096, Access::write);
    std::memset(data.data(), 0x5a, data.size());
    CHECK(machine.request(VIRTIO_BLK_T_OUT, 8, 4096) == VIRTIO_BLK_S_OK);
    CHECK(machine.interrupts == 1);
    CHECK(machine.get(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_VRING);
    machine.set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
    CHECK(machine.get(VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
    std::memset(data.data(), 0, data.size());
    REQUIRE(machine.memory.store<std::uint16_t>({k_available}, VRING_AVAIL_F_NO_INTERRUPT));
    CHECK(machine.request(VIRTIO_BLK_T_IN, 8, 4096) == VIRTIO_BLK_S_OK);
    CHECK(machine.interrupts == 1);
    CHECK(data[4095] == std::byte{0x5a});
    CHECK(machine.memory.fetch<std::uint32_t>({k_used + 4 + 8 + 4}) == 4097U);
    CHECK(machine.request(VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK);
    CHECK(machine.request(VIRTIO_BLK_T_GET_ID, 0, 20) == VIRTIO_BLK_S_OK);
    CHECK(std::memcmp(data.data(), "isolab-disk", 12) == 0);
    CHECK(machine.request(VIRTIO_BLK_T_DISCARD, 0, 4096) == VIRTIO_BLK_S_UNSUPP);
    CHECK(machine.request(VIRTIO_BLK_T_IN, (1U << 20U) / 512 - 7, 4096) == VIRTIO_BLK_S_IOERR);
    CHECK(machine.request(VIRTIO_BLK_T_OUT, ~std::uint64_t{0}, 512) == VIRTIO_BLK_S_IOERR);
    CHECK_FALSE(machine.dead());
}

TEST_CASE("virtio: a request may be cut anywhere") {
    Machine machine;
    machine.start();
    virtio_blk_outhdr const header{VIRTIO_BLK_T_IN, 0, 0};
    REQUIRE(machine.memory.store({k_header}, header));
    machine.describe(5, k_header, 3, VRING_DESC_F_NEXT, 6);
    machine.describe(6, k_header + 3, 13, VRING_DESC_F_NEXT, 7);
    machine.describe(7, k_data, 100, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 8);
    machine.describe(8, k_data + 100, 412 + 1, VRING_DESC_F_WRITE);
    REQUIRE(machine.memory.store({k_data + 512}, std::byte{0xff}));
    machine.offer(5);
    machine.device.notify(0);
    CHECK(machine.finished() == 1);
    CHECK(machine.memory.fetch<std::byte>({k_data + 512}) == std::byte{0});
}

TEST_CASE("virtio: a queue that makes no sense stops the device, and a reset starts it again") {
    Machine machine;
    auto const breaks = [&](auto&& misuse) {
        machine.made = 0;
        for (std::uint64_t const ring : {k_available, k_used})
            REQUIRE(machine.memory.store<std::uint32_t>({ring}, 0));
        machine.start();
        misuse();
        machine.device.notify(0);
        CHECK(machine.dead());
        CHECK(machine.device.broken() != nullptr);
        std::uint16_t const before = machine.finished();
        machine.device.notify(0);
        CHECK(machine.finished() == before);
    };
    breaks([&] { // a loop
        machine.describe(0, k_header, 16, VRING_DESC_F_NEXT, 1);
        machine.describe(1, k_data, 512, VRING_DESC_F_NEXT, 0);
        machine.offer(0);
    });
    breaks([&] { machine.offer(k_size); });
    breaks([&] { REQUIRE(machine.memory.store<std::uint16_t>({k_available + 2}, k_size + 1)); });
    breaks([&] {
        machine.describe(0, k_header, 16, VRING_DESC_F_INDIRECT);
        machine.offer(0);
    });
    breaks([&] { // the module area is not the device's to write to
        machine.describe(0, k_header, 16, VRING_DESC_F_NEXT, 1);
        machine.describe(1, k_ram, 512, VRING_DESC_F_WRITE);
        machine.offer(0);
    });
    breaks([&] { // the device's own registers are no memory
        machine.describe(0, k_base, 16, 0);
        machine.offer(0);
    });
    breaks([&] { // nothing to answer in
        machine.describe(0, k_header, 16, 0);
        machine.offer(0);
    });
    for (auto const& bad : std::vector<VirtioQueue::Setup>{{0, 0, 0, 0},
                                                           {3, 0, 0, 0},
                                                           {512, 0, 0, 0},
                                                           {16, 8, 0, 0},
                                                           {16, 0, 1, 0},
                                                           {16, 0, 0, 2},
                                                           {16, ~std::uint64_t{15}, 0, 0}})
        CHECK_FALSE(VirtioQueue(machine.memory).enable(bad));
}

TEST_CASE("virtio: random rings, registers and requests never leave memory or the disk") {
    Machine machine;
    std::mt19937_64 random(4);
    auto const number = [&]() -> std::uint64_t { // often nearly right
        switch (random() % 6) {
        case 0:
            return random();
        case 1:
            return k_ram - random() % 8192;
        case 2:
            return random() % 64;
        default:
            return random() % k_ram;
        }
    };
    std::uint64_t answered = 0;
    for (int round = 0; round < 3000; ++round) {
        for (std::uint64_t const ring : {k_available, k_used})
            REQUIRE(machine.memory.store<std::uint32_t>({ring}, 0));
        machine.made = 0;
        machine.start();
        for (int step = 0; step < 8; ++step) {
            for (std::uint16_t i = 0; i < k_size; ++i) {
                bool const sane = random() % 64 != 0;
                auto const flags = static_cast<std::uint16_t>(
                    sane ? (i % 4 >= 2 ? VRING_DESC_F_WRITE : 0) | (i % 4 != 3 ? 1 : 0) : random());
                machine.describe(
                    i, sane ? k_header + random() % 0x20000 : number(),
                    static_cast<std::uint32_t>(sane ? 512 * (random() % 3) + 1 : number()), flags,
                    static_cast<std::uint16_t>(sane ? i + 1 : random() % 20));
            }
            virtio_blk_outhdr const header{static_cast<std::uint32_t>(random() % 9), 0,
                                           random() % 2 != 0 ? random() % 2048 : number()};
            for (std::uint64_t at = k_header; at < k_header + 0x20000; at += 4096)
                REQUIRE(machine.memory.store({at}, header));
            for (int i = 0; i < 3; ++i)
                machine.offer(
                    static_cast<std::uint16_t>(random() % 64 == 0 ? k_size : random() % 4 * 4));
            if (random() % 8 == 0)
                machine.set(random() % 0x110 & ~3U, static_cast<std::uint32_t>(number()));
            std::byte anything[8]{};
            machine.device.read(k_base + random() % 4090, std::span(anything).first(random() % 9));
            machine.device.notify(static_cast<std::uint32_t>(random() % 2));
        }
        answered += machine.finished();
    }
    CHECK(answered > 1000);
}
