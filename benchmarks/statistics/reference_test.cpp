// Our numbers beside those of an independent implementation: testdata/make_reference.py.
#include "benchmarks/statistics/effect.hpp"
#include "benchmarks/statistics/family.hpp"
#include "benchmarks/statistics/rank_test.hpp"
#include "common/json.hpp"
#include "tests/support/catch.hpp"

#include <fstream>

using namespace iso::bench;
using nlohmann::json;

namespace {

json const& reference() {
    static json const file = [] {
        std::ifstream in(ISO_REFERENCE_FILE);
        return json::parse(in);
    }();
    return file;
}

constexpr std::pair<char const*, Alternative> k_alternatives[] = {
    {"two_sided", Alternative::two_sided},
    {"greater", Alternative::greater},
    {"less", Alternative::less}};

void check_shift(Shift const& shift, json const& expected) {
    CHECK(shift.estimate == Approx(expected.at("shift").get<double>()).margin(1e-12));
    REQUIRE(shift.interval.has_value() != expected.at("interval").is_null());
    if (!shift.interval) return;
    CHECK(shift.interval->low == Approx(expected.at("interval")[0].get<double>()).margin(1e-12));
    CHECK(shift.interval->high == Approx(expected.at("interval")[1].get<double>()).margin(1e-12));
}

} // namespace

TEST_CASE("the signed-rank test and Hodges-Lehmann's shift are the reference's") {
    REQUIRE(reference().at("signed_rank").size() >= 10);
    for (json const& expected : reference().at("signed_rank")) {
        auto const values = expected.at("values").get<std::vector<double>>();
        INFO(expected.at("source") << ", n = " << values.size());
        for (auto const& [name, alternative] : k_alternatives) {
            INFO(name);
            RankTest const test = signed_rank_test(values, alternative);
            CHECK(test.p == Approx(expected.at("p").at(name).get<double>()).epsilon(1e-9));
            CHECK(test.statistic == Approx(expected.at("statistic").get<double>()));
            CHECK(test.exact == expected.at("exact").get<bool>());
        }
        check_shift(pairwise_shift(values), expected);
    }
}

TEST_CASE("the rank-sum test, its shift and Cliff's delta are the reference's") {
    REQUIRE(reference().at("rank_sum").size() >= 6);
    for (json const& expected : reference().at("rank_sum")) {
        auto const first = expected.at("first").get<std::vector<double>>();
        auto const second = expected.at("second").get<std::vector<double>>();
        INFO(expected.at("source") << ", n = " << first.size() << " + " << second.size());
        for (auto const& [name, alternative] : k_alternatives) {
            INFO(name);
            RankTest const test = rank_sum_test(first, second, alternative);
            CHECK(test.p == Approx(expected.at("p").at(name).get<double>()).epsilon(1e-9));
            CHECK(test.statistic == Approx(expected.at("statistic").get<double>()));
            CHECK(test.exact == expected.at("exact").get<bool>());
        }
        check_shift(sample_shift(first, second), expected);
        CHECK(cliffs_delta(first, second) ==
              Approx(expected.at("cliffs_delta").get<double>()).margin(1e-12));
    }
}

TEST_CASE("Holm's adjustment is the reference's") {
    for (json const& expected : reference().at("holm")) {
        auto const adjusted = holm(expected.at("p").get<std::vector<double>>());
        auto const wanted = expected.at("adjusted").get<std::vector<double>>();
        REQUIRE(adjusted.size() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i)
            CHECK(adjusted[i] == Approx(wanted[i]));
    }
}
