#include "common/temp_dir.hpp"
#include "paravirt-demo/block_ring.hpp"
#include "tests/support/catch.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>

using namespace iso;
using namespace iso::pv;

namespace {

constexpr std::uint64_t k_ram = 2 * k_large_page;
constexpr std::uint64_t k_ring = 0x10000, k_data = 0x40000;

struct Machine {
    TempDir directory = std::move(*TempDir::create("ring"));
    GuestMemory memory = std::move(*GuestMemory::create(k_ram, k_large_page));
    DiskFile disk = std::move(*DiskFile::open(directory.path() + "/disk", 1U << 20U));
    BlockRing ring{memory, disk};

    iso_block_ring& shared() {
        return *reinterpret_cast<iso_block_ring*>(
            memory.at({k_ring}, sizeof(iso_block_ring), Access::write)->data());
    }
    void put(iso_block_request const& request) {
        shared().slot[shared().request_producer++ % ISO_BLOCK_SLOTS].request = request;
    }
    std::int64_t send() {
        std::int64_t result = 0;
        ring.serve(result);
        return result;
    }
    std::int32_t one(iso_block_request const& request) {
        std::uint32_t const slot = shared().request_producer % ISO_BLOCK_SLOTS;
        put(request);
        REQUIRE(send() == 0);
        iso_block_response const& response = shared().slot[slot].response;
        CHECK(response.id == request.id);
        CHECK(shared().response_producer == shared().request_producer);
        return response.status;
    }
};

iso_block_request request(std::uint32_t operation, std::uint64_t sector, std::uint64_t gpa,
                          std::uint64_t bytes) {
    iso_block_request made{};
    made.operation = operation;
    made.id = sector + 77;
    made.sector = sector;
    made.segment_count = 1;
    made.segment[0] = {gpa, bytes};
    return made;
}

} // namespace

TEST_CASE("block ring: several requests are answered in one go, in order") {
    Machine machine;
    CHECK(machine.send() == -ENODEV);
    CHECK(machine.ring.operate(ISO_BLOCK_CONNECT, k_ring + 8) == -EINVAL);
    CHECK(machine.ring.operate(ISO_BLOCK_CONNECT, k_ram - k_page) == -EFAULT);
    CHECK(machine.ring.operate(ISO_BLOCK_CONNECT, k_ram) == -EFAULT);
    CHECK(machine.ring.operate(7, k_ring) == -ENOSYS);
    REQUIRE(machine.ring.operate(ISO_BLOCK_CONNECT, k_ring) == 0);
    auto const data = *machine.memory.at({k_data}, 64 * k_page, Access::write);
    for (std::uint32_t round = 0; round < 5; ++round) { // more than the ring has slots
        for (std::uint64_t i = 0; i < 16; ++i) {
            std::memset(data.data() + i * k_page, static_cast<int>(i + round), k_page);
            machine.put(request(ISO_BLOCK_WRITE, 8 * i, k_data + i * k_page, k_page));
        }
        REQUIRE(machine.send() == 0);
        auto back = request(ISO_BLOCK_READ, 0, k_data + 32 * k_page, 3 * k_page);
        back.segment_count = 2;
        back.segment[1] = {k_data + 40 * k_page, 13 * k_page};
        REQUIRE(machine.one(back) == 0);
        CHECK(data[33 * k_page] == std::byte{static_cast<unsigned char>(1 + round)});
        CHECK(data[52 * k_page] == std::byte{static_cast<unsigned char>(15 + round)});
    }
    CHECK(machine.one(request(ISO_BLOCK_FLUSH, 0, 0, 0)) == 0);
}

TEST_CASE("block ring: what does not fit is an error to the guest, and nothing else") {
    Machine machine;
    REQUIRE(machine.ring.operate(ISO_BLOCK_CONNECT, k_ring) == 0);
    CHECK(machine.one(request(ISO_BLOCK_READ, 0, k_ram - 512, 1024)) == -EFAULT);
    CHECK(machine.one(request(ISO_BLOCK_READ, 0, k_ram, 512)) == -EFAULT); // modules: read-only
    CHECK(machine.one(request(ISO_BLOCK_WRITE, 0, k_ram, 512)) == 0);
    CHECK(machine.one(request(ISO_BLOCK_WRITE, 0, ~std::uint64_t{0}, 512)) == -EFAULT);
    CHECK(machine.one(request(ISO_BLOCK_READ, 2047, k_data, 1024)) == -EINVAL);
    CHECK(machine.one(request(ISO_BLOCK_READ, 0, k_data, 100)) == -EINVAL);
    CHECK(machine.one(request(9, 0, k_data, 512)) == -EOPNOTSUPP);
    auto many = request(ISO_BLOCK_READ, 0, k_data, 512);
    many.segment_count = ISO_BLOCK_SEGMENTS + 1;
    CHECK(machine.one(many) == -EINVAL);
    machine.shared().request_producer += ISO_BLOCK_SLOTS + 1;
    CHECK(machine.send() == -EINVAL);
    CHECK(machine.send() == -ENODEV); // until it is connected again
}

TEST_CASE("block ring: random rings never leave memory or the disk") {
    Machine machine;
    std::mt19937_64 random(5);
    auto const number = [&](std::uint64_t sane) {
        return random() % 3 == 0 ? random() >> random() % 64 : random() % sane;
    };
    int good = 0;
    for (int round = 0; round < 20000; ++round) {
        if (random() % 16 == 0)
            (void)machine.ring.operate(random() % 2, number(k_ram) & ~std::uint64_t{4095});
        (void)machine.ring.operate(ISO_BLOCK_CONNECT, k_ring);
        auto& ring = machine.shared();
        ring.request_producer = static_cast<std::uint32_t>(number(ISO_BLOCK_SLOTS));
        for (auto& slot : ring.slot) {
            slot.request.operation = static_cast<std::uint32_t>(number(4));
            slot.request.segment_count = static_cast<std::uint32_t>(number(4));
            slot.request.sector = number(2048);
            for (auto& segment : slot.request.segment) // not over the ring itself, as a rule
                segment = {number(k_ram - k_data) + k_data, 512 * number(4)};
        }
        if (machine.send() == 0) ++good;
    }
    CHECK(good > 1000);
}
