#include "benchmarks/statistics/family.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;

TEST_CASE("Holm multiplies the smallest by the size of the family, and never lets order decide") {
    CHECK(holm({}).empty());
    auto const adjusted = holm({0.03, 0.001, 0.04});
    CHECK(adjusted[1] == Approx(0.003));
    CHECK(adjusted[0] == Approx(0.06));
    CHECK(adjusted[2] == Approx(0.06)); // 0.04 alone, but not better than what came before it
    CHECK(holm({0.5, 0.9})[1] == 1);
}
