#include "benchmarks/statistics/effect.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;

TEST_CASE("too few values have a shift and no interval") {
    Shift const shift = pairwise_shift({1, 2, 3});
    CHECK(shift.estimate == 2);
    CHECK_FALSE(shift.interval.has_value()); // 2 in 8 sign patterns lie outside of any interval
    CHECK(pairwise_shift({1, 2, 3, 4, 5, 6}).interval.has_value()); // 2 in 64 do
    CHECK_FALSE(sample_shift({1}, {2, 3}).interval.has_value());
}

TEST_CASE("one wild value moves the shift little") {
    CHECK(pairwise_shift({1, 1, 1, 1, 1, 1, 1, 1, 1, 1000}).estimate == 1);
    CHECK(sample_shift({5, 5, 5, 1000}, {3, 3, 3}).estimate == 2);
}

TEST_CASE("a wider interval for a higher level") {
    std::vector<double> const values{1, 4, 2, 8, 5, 7, 3, 9, 6, 12};
    Shift const narrow = pairwise_shift(values, 0.90);
    Shift const wide = pairwise_shift(values, 0.99);
    CHECK(narrow.interval->low > wide.interval->low);
    CHECK(narrow.interval->high < wide.interval->high);
}

TEST_CASE("Cliff's delta goes from never to always") {
    CHECK(cliffs_delta({5, 6}, {1, 2}) == 1);
    CHECK(cliffs_delta({1, 2}, {5, 6}) == -1);
    CHECK(cliffs_delta({1, 2}, {1, 2}) == 0);
    CHECK(cliffs_delta({1, 2}, {1}) == 0.5);
    CHECK(cliffs_delta({}, {1}) == 0);
}
