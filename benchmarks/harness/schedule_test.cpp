#include "benchmarks/harness/schedule.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <set>

using namespace iso::bench;

TEST_CASE("a block's order depends on seed, workload and number alone") {
    std::vector<std::size_t> const arms{0, 1, 2, 3};
    CHECK(block_order(1, "cpu-int", 1, arms, true) == block_order(1, "cpu-int", 1, arms, true));
    std::set<std::vector<std::size_t>> orders;
    for (std::uint64_t block = 1; block <= 200; ++block) {
        std::vector<std::size_t> order;
        for (Slot const& slot : block_order(1, "cpu-int", block, arms, false))
            order.push_back(slot.arm);
        orders.insert(order);
        std::sort(order.begin(), order.end());
        CHECK(order == arms); // every arm once
    }
    CHECK(orders.size() == 24); // and every order comes
}

TEST_CASE("the second block of a pair runs in the reverse order of the first") {
    std::vector<std::size_t> const arms{0, 1, 2};
    for (std::uint64_t block = 1; block <= 19; block += 2) {
        auto first = block_order(5, "hello", block, arms, true);
        std::reverse(first.begin(), first.end());
        CHECK(block_order(5, "hello", block + 1, arms, true) == first);
    }
}

TEST_CASE("an arm's baseline stays beside its measurement, on either side") {
    bool before = false;
    bool after = false;
    for (std::uint64_t block = 1; block <= 40; ++block) {
        auto const slots = block_order(1, "cpu-fp", block, {0, 1, 2}, true);
        REQUIRE(slots.size() == 6);
        for (std::size_t i = 0; i < slots.size(); i += 2) {
            CHECK(slots[i].arm == slots[i + 1].arm);
            CHECK(slots[i].role != slots[i + 1].role);
            (slots[i].role == Role::baseline ? before : after) = true;
        }
    }
    CHECK(before);
    CHECK(after);
}
