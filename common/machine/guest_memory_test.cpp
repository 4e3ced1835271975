#include "common/machine/guest_memory.hpp"
#include "tests/support/catch.hpp"

#include <random>

using namespace iso;

namespace {

constexpr std::uint64_t k_memory = 4 * k_large_page;
constexpr std::uint64_t k_memory_modules = k_large_page;

GuestMemory make() {
    auto memory = GuestMemory::create(k_memory, k_memory_modules);
    REQUIRE(memory);
    return std::move(*memory);
}

} // namespace

TEST_CASE("guest memory: what lies in one region is reachable") {
    GuestMemory const memory = make();
    CHECK(memory.at({0}, k_memory, Access::write)->data() == memory.ram().data());
    CHECK(memory.at({k_memory - 1}, 1, Access::write));
    CHECK(memory.at({k_memory}, k_memory_modules, Access::read)->data() == memory.modules().data());
    CHECK(memory.at({8}, 0, Access::write)->empty());
}

TEST_CASE("guest memory: everything else is refused") {
    GuestMemory const memory = make();
    constexpr std::uint64_t max = ~std::uint64_t{0};
    CHECK_FALSE(memory.at({k_memory - 1}, 2, Access::read)); // straddles two regions
    CHECK_FALSE(memory.at({k_memory}, 1, Access::write));    // modules are read-only
    CHECK_FALSE(memory.at({k_memory + k_memory_modules}, 0, Access::read));
    CHECK_FALSE(memory.at({k_memory + k_memory_modules - 1}, 2, Access::read));
    CHECK_FALSE(memory.at({0}, k_memory + 1, Access::read));
    CHECK_FALSE(memory.at({16}, max - 7, Access::read)); // the sum wraps to 8
    CHECK_FALSE(memory.at({max}, 1, Access::read));
    CHECK_FALSE(memory.at({max}, max, Access::read));
    CHECK_FALSE(memory.at({max - 1}, 2, Access::read));
}

TEST_CASE("guest memory: random requests agree with arithmetic in 128 bits") {
    GuestMemory const memory = make();
    std::mt19937_64 random(1);
    __extension__ using wide = unsigned __int128;
    std::uint64_t const edges[] = {0, k_memory, k_memory + k_memory_modules, ~std::uint64_t{0},
                                   std::uint64_t{1} << 63U};
    auto const pick = [&] { // near an edge, where mistakes are
        std::uint64_t const near = edges[random() % std::size(edges)] + random() % 17 - 8;
        return random() % 4 == 0 ? random() : near;
    };
    for (int i = 0; i < 200000; ++i) {
        std::uint64_t const gpa = pick();
        std::uint64_t const length = random() % 2 == 0 ? pick() : random() % 17;
        Access const access = random() % 2 == 0 ? Access::read : Access::write;
        wide const end = static_cast<wide>(gpa) + length;
        bool const in_ram = gpa < k_memory && end <= k_memory;
        bool const in_modules = gpa >= k_memory && gpa < k_memory + k_memory_modules &&
                                end <= k_memory + k_memory_modules;
        bool const expected = in_ram || (in_modules && access == Access::read);
        auto const got = memory.at({gpa}, length, access);
        if (got.has_value() != expected || (got && got->size() != length))
            FAIL("gpa " << gpa << " length " << length);
    }
}

TEST_CASE("guest memory: structures are fetched and stored whole or not at all") {
    GuestMemory const memory = make();
    CHECK(memory.store({k_memory - 8}, std::uint64_t{42}));
    CHECK(memory.fetch<std::uint64_t>({k_memory - 8}) == 42);
    CHECK_FALSE(memory.store({k_memory - 7}, std::uint64_t{42}));
    CHECK_FALSE(memory.fetch<std::uint64_t>({k_memory - 7}));
}
