#include "guest/tests/unit/arena.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

using namespace iso::guest;

TEST_CASE("frames come in contiguous runs and are never handed out twice") {
    FrameAllocator own = test::own_allocator(16 << 20);
    std::map<Gpa, u32> held; // first frame -> count
    std::mt19937 random(1);
    u64 in_use = 0;
    for (int step = 0; step < 20000; ++step) {
        if (random() % 2 == 0 || held.empty()) {
            auto const want = static_cast<u32>(1 + random() % 40);
            bool const zeroed = random() % 2 == 0;
            FrameRun const run = zeroed ? own.take_zeroed(want) : own.take(want);
            if (run.count == 0) {
                REQUIRE(own.available() == 0);
                continue;
            }
            REQUIRE(run.count <= want);
            auto const above = held.lower_bound(run.first);
            REQUIRE((above == held.end() || run.first + run.count * k_page <= above->first));
            if (above != held.begin()) {
                auto const below = std::prev(above);
                REQUIRE(below->first + below->second * k_page <= run.first);
            }
            for (u32 i = 0; i < run.count; ++i) {
                REQUIRE(own.references(run.first + i * k_page) == 1);
                u64& word = *linear<u64>(run.first + i * k_page + 8 * (random() % 512));
                if (zeroed) REQUIRE(word == 0);
                word = ~0ull;
            }
            held[run.first] = run.count;
            in_use += run.count;
        } else {
            auto const victim = std::next(held.begin(), static_cast<long>(random() % held.size()));
            own.release(victim->first, victim->second);
            in_use -= victim->second;
            held.erase(victim);
        }
        REQUIRE(own.used() == in_use);
    }
}

TEST_CASE("all frames can be taken, and none beyond") {
    FrameAllocator own = test::own_allocator(8 << 20);
    u64 taken = 0;
    while (u32 const count = own.take_zeroed(64).count)
        taken += count;
    CHECK(taken == own.total());
    CHECK(own.take(1).count == 0);
    CHECK(own.most_used() == own.total());
}

TEST_CASE("a shared frame is freed with its last reference") {
    FrameAllocator own = test::own_allocator(8 << 20);
    FrameRun const run = own.take(3);
    REQUIRE(run.count == 3);
    Gpa const middle = run.first + k_page;
    own.share(middle);
    CHECK(own.references(middle) == 2);
    own.release(run.first, 3);
    CHECK(own.used() == 1);
    CHECK(own.references(middle) == 1);
    own.release(middle, 1);
    CHECK(own.used() == 0);
}

TEST_CASE("freed neighbours serve whoever needs several, in whatever order they were freed") {
    FrameAllocator own = test::own_allocator(8 << 20);
    std::vector<Gpa> all;
    for (FrameRun run = own.take_zeroed(1); run.count != 0; run = own.take_zeroed(1))
        all.push_back(run.first);
    REQUIRE(all.size() == own.total());
    std::mt19937 random(2);
    std::shuffle(all.begin(), all.end(), random);
    for (Gpa const frame : all)
        own.release(frame, 1);
    CHECK(own.take_contiguous(64) != 0);
    CHECK(own.used() == 64);
    Gpa const rest = own.take_contiguous(static_cast<u32>(own.total() - 64));
    CHECK(rest != 0);
    CHECK(own.available() == 0);
    CHECK(own.take_contiguous(4) == 0);
}
