#include "benchmarks/validation/binomial.hpp"
#include "benchmarks/validation/live.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <fstream>

using namespace iso::bench;
using namespace iso::bench::validation;

TEST_CASE("Clopper and Pearson's interval has its closed form where there is one") {
    // No hits: 1 - (0.025)^(1/n); all hits: the mirror image.
    CHECK(clopper_pearson(0, 300).low == 0);
    CHECK(clopper_pearson(0, 300).high == Approx(1 - std::pow(0.025, 1.0 / 300)).epsilon(1e-9));
    CHECK(clopper_pearson(300, 300).low == Approx(std::pow(0.025, 1.0 / 300)).epsilon(1e-9));
    CHECK(clopper_pearson(300, 300).high == 1);
    // One of one thousand and five of ten, as other implementations have them.
    CHECK(clopper_pearson(1, 1000).low == Approx(2.5317e-5).epsilon(1e-3));
    CHECK(clopper_pearson(1, 1000).high == Approx(0.0055590).epsilon(1e-3));
    CHECK(clopper_pearson(5, 10).low == Approx(0.1870860).epsilon(1e-5));
    CHECK(clopper_pearson(5, 10).high == Approx(0.8129140).epsilon(1e-5));
}

TEST_CASE("kinds of live runs take turns by how much is missing, until all is done") {
    std::vector<Planned> const plan{{0, 4}, {0.03, 2}};
    std::vector<std::uint64_t> done(2);
    std::string order;
    for (std::size_t next = 0; (next = next_of(plan, done)) != plan.size(); ++done[next])
        order += std::to_string(next);
    CHECK(order == "010010");
}

TEST_CASE("live runs are continued from their file, and a file that was tampered with is refused") {
    auto const place = iso::TempDir::create("validation-test").value();
    std::string const path = place.path() + "/live.jsonl";
    CHECK(read_live(path)->empty());
    std::ofstream(path)
        << R"({"counts":false,"engine":"isolate","workload":"cpu-int","inject":0.03,"seed":7,)"
        << R"("exit_status":1,"outcome":"regression","reason":"r","n":20})"
        << "\n";
    REQUIRE(read_live(path)->size() == 1);
    CHECK(read_live(path)->front().exit_status == 1);
    CHECK(read_live(path)->front().inject == 0.03);
    std::ofstream(path, std::ios::app) << R"({"counts":fal)";
    auto const cut = read_live(path);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().op.ends_with(":2"));
}
