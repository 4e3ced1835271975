#include "benchmarks/harness/results_file.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fcntl.h>

using namespace iso;
using namespace iso::bench;
using iso::bench::test::Synthetic;

namespace {

Results good() {
    Synthetic made({"isolate"});
    made.add_workload("cpu-int", 6);
    for (char const* const engine : {"native", "native (A/A)", "isolate"})
        made.measure("cpu-int", engine, 1, 0.01);
    return std::move(made.results);
}

/// What reading this text as a file says: the cause of the refusal.
std::string refusal(std::string const& text) {
    TempDir const place = TempDir::create("isobench-results").value();
    std::string const path = place.path() + "/result.json";
    {
        Fd const fd = Fd::open(path, O_WRONLY | O_CREAT).value();
        REQUIRE(write_all(fd.get(), text));
    }
    auto const read = read_results(path);
    if (read) return {};
    CHECK(read.error().exit_status == 2);
    CHECK(read.error().op == path);
    return read.error().cause;
}

std::string refusal(Results const& results) {
    return refusal(to_json(results));
}

} // namespace

TEST_CASE("a file as it was written is taken") {
    CHECK(refusal(good()).empty());
}

TEST_CASE("a file that was cut off anywhere is refused") {
    std::string const text = to_json(good());
    for (std::size_t part = 0; part < 20; ++part) {
        std::string const cut = text.substr(0, (text.size() - 3) * part / 20);
        CHECK_FALSE(refusal(cut).empty());
    }
    CHECK(refusal("").find("truncated") != std::string::npos);
    CHECK(refusal("[1, 2]").find("not one JSON object") != std::string::npos);
    CHECK(refusal(text + text).find("not one JSON object") != std::string::npos);
}

TEST_CASE("another schema is refused and named") {
    std::string text = to_json(good());
    text.replace(text.find("isolab.results/1"), 16, "isolab.results/9");
    CHECK(refusal(text).find("isolab.results/9") != std::string::npos);
    CHECK(refusal("{}").find("no schema") != std::string::npos);
    CHECK(refusal(R"({"schema":"isolab.results/1"})").find("environment") != std::string::npos);
    CHECK_FALSE(refusal(R"({"schema":"isolab.results/1","environment":7,"options":[]})").empty());
}

TEST_CASE("results that were mixed together are refused") {
    Results twice = good();
    std::vector<Sample> const copy = twice.samples;
    twice.samples.insert(twice.samples.end(), copy.begin(), copy.end());
    CHECK(refusal(twice).find("two runs of 'cpu-int'") != std::string::npos);
    Results hashes = good();
    hashes.cells.back().sha256 = "other";
    CHECK(refusal(hashes).find("two hashes") != std::string::npos);
    Results columns = good();
    columns.engines.push_back(columns.engines.back());
    CHECK(refusal(columns).find("two columns") != std::string::npos);
    Results stranger = good();
    stranger.samples.front().arm = "podman";
    CHECK(refusal(stranger).find("'podman'") != std::string::npos);
    Results beyond = good();
    beyond.samples.front().block = 7;
    CHECK(refusal(beyond).find("6 blocks and a sample of block 7") != std::string::npos);
    Results headless = good();
    headless.engines.erase(headless.engines.begin());
    CHECK(refusal(headless).find("native") != std::string::npos);
}

TEST_CASE("a file that is not there is told with its name") {
    auto const read = read_results("/no/such/file.json");
    REQUIRE_FALSE(read);
    CHECK(read.error().exit_status == 2);
    CHECK(read.error().op.find("/no/such/file.json") != std::string::npos);
}
