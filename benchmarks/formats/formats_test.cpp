#include "benchmarks/formats/formats.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "common/json.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace iso::bench;
using namespace iso::bench::test;
using nlohmann::json;

namespace {

Results measured() {
    Synthetic made({"isolate", "vmm-mini"});
    made.add_workload("cpu-int", 8);
    for (char const* const engine : {"native", "native (A/A)", "isolate", "vmm-mini"})
        made.measure("cpu-int", engine, 1.1, 0.01);
    for (Cell& cell : made.results.cells)
        if (cell.engine == "vmm-mini") {
            cell.status = Status::failed;
            cell.reason = "it said \"<no>\" | and left";
            cell.median = cell.ratio = cell.ci_low = cell.ci_high = std::nullopt;
        }
    return std::move(made.results);
}

std::size_t count(std::string const& text, std::string const& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

} // namespace

TEST_CASE("CSV has one row for each sample and as many fields in each") {
    Results results = measured();
    results.samples.front().failure = "a \"word\", and\nmore";
    std::string const csv = to_csv(results);
    CHECK(csv.find("\"a \"\"word\"\", and\nmore\"") != std::string::npos);
    results.samples.front().failure.clear();
    std::string const plain = to_csv(results);
    CHECK(count(plain, "\n") == results.samples.size() + 1);
    std::size_t const fields = count(plain.substr(0, plain.find('\n')), ",");
    for (std::size_t at = 0; at < plain.size();) {
        auto const end = plain.find('\n', at);
        CHECK(count(plain.substr(at, end - at), ",") == fields);
        at = end + 1;
    }
}

TEST_CASE("Google Benchmark's JSON holds every block, and a failure is an error, not a zero") {
    json const out = json::parse(to_google_benchmark(measured()));
    std::size_t blocks = 0;
    std::size_t errors = 0;
    for (json const& entry : out.at("benchmarks")) {
        for (char const* const key : {"name", "run_name", "run_type"})
            CHECK(entry.contains(key));
        if (entry.value("error_occurred", false)) {
            ++errors;
            CHECK(entry.at("name") == "cpu-int/cpu-time/vmm-mini");
            CHECK_FALSE(entry.contains("real_time"));
            continue;
        }
        ++blocks;
        CHECK(entry.at("real_time").get<double>() > 0);
    }
    CHECK(blocks == 3 * 8);
    CHECK(errors == 1);
    CHECK(out.at("context").contains("date"));
}

TEST_CASE("smaller is better: what has no number is left out") {
    json const out = json::parse(to_smaller_is_better(measured()));
    REQUIRE(out.size() == 2); // the A/A arm and isolate; native is what they are compared with
    for (json const& entry : out) {
        CHECK(entry.at("value").get<double>() == Approx(1.1));
        CHECK(entry.at("unit") == "x native");
    }
}

TEST_CASE("JUnit and Markdown name what failed, in words that their syntax can hold") {
    std::string const junit = to_junit(measured());
    CHECK(junit.find("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"0\"") != std::string::npos);
    CHECK(junit.find("&quot;&lt;no&gt;&quot;") != std::string::npos);
    std::string const unavailable = to_junit(some_results());
    CHECK(unavailable.find("<skipped message=\"not built\"/>") != std::string::npos);
    std::string const markdown = to_markdown(measured());
    CHECK(markdown.find("\\| and left") != std::string::npos);
    CHECK(markdown.find("| **failed** |") != std::string::npos);
    CHECK(count(markdown, "<details>") == count(markdown, "</details>"));
}

TEST_CASE("every name is a format") {
    for (std::string const& name : format_names())
        CHECK_FALSE(format_results(measured(), name).empty());
}
