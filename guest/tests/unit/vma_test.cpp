#include "guest/kernel/vma.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <memory>
#include <random>

using namespace iso::guest;

TEST_CASE("the tree of areas finds what an ordered map finds") {
    VmaTree tree;
    std::map<UserAddr, std::unique_ptr<Vma>> model;
    std::mt19937 random(2);
    for (u64 i = 1; i <= 4; ++i) { // as a program starts
        auto area = std::make_unique<Vma>();
        area->start = 4 * i * k_page;
        area->end = area->start + 2 * k_page;
        tree.append(area.get());
        model[area->start] = std::move(area);
    }
    for (int step = 0; step < 20000; ++step) {
        UserAddr const start = (random() % 4096) * k_page;
        auto const above = model.upper_bound(start);
        Vma* const expected_above = [&]() -> Vma* {
            if (above != model.begin() && std::prev(above)->second->end > start)
                return std::prev(above)->second.get();
            return above == model.end() ? nullptr : above->second.get();
        }();
        REQUIRE(tree.at_or_above(start) == expected_above);
        Vma* const here =
            expected_above != nullptr && expected_above->start <= start ? expected_above : nullptr;
        REQUIRE(tree.at(start) == here);

        if (here != nullptr) {
            if (random() % 3 != 0) continue;
            tree.remove(here);
            model.erase(here->start);
        } else {
            auto area = std::make_unique<Vma>();
            area->start = start;
            UserAddr const limit = expected_above != nullptr ? expected_above->start : ~0ull;
            area->end = smaller(start + (1 + random() % 8) * k_page, limit);
            tree.insert(area.get());
            model[start] = std::move(area);
        }
        REQUIRE(tree.count() == model.size());
    }
    // The order of addresses, both ways.
    Vma* at = tree.first();
    for (auto const& [start, area] : model) {
        REQUIRE(at == area.get());
        if (at->next != nullptr) REQUIRE(at->next->previous == at);
        at = at->next;
    }
    CHECK(at == nullptr);
    CHECK(tree.last() == (model.empty() ? nullptr : std::prev(model.end())->second.get()));
}
