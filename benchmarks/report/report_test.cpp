#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/inputs.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/references.hpp"
#include "benchmarks/report/report_fixture.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/view.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fstream>

using namespace iso::bench::report;
using iso::TempDir;
using iso::bench::escape_xml;

namespace {

std::string put(TempDir const& directory, std::string const& name, std::string const& text) {
    std::string const path = directory.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
}

std::vector<std::string> labels(Scale const& scale, std::size_t most) {
    std::vector<std::string> out;
    for (Tick const& tick : scale.ticks(most))
        out.push_back(tick.label);
    return out;
}

using Labels = std::vector<std::string>;

} // namespace

TEST_CASE("text becomes markup without meaning anything to it") {
    CHECK(escape_xml("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;");
    CHECK(escape_xml(std::string("\x01\x1b[1m")) == "[1m");
    CHECK(slug("Native (A/A), cpu-time") == "native-a-a-cpu-time");
    CHECK(coordinate(12.0) == "12");
    CHECK(coordinate(-0.01) == "0");
    CHECK(figure_of(1842.3) == "1842");
    CHECK(figure_of(0.00012) == "0.00012");
    CHECK(signed_figure(-0.001) == "0.00");
    CHECK(signed_figure(1.944) == "+1.94");
}

TEST_CASE("axes have round numbers, not too many of them") {
    CHECK(labels(Scale::linear(0.9, 1.1, 0, 100), 5) == Labels{"0.9", "0.95", "1", "1.05", "1.1"});
    CHECK(labels(Scale::linear(0, 23, 0, 100), 4) == Labels{"0", "10", "20"});
    CHECK(labels(Scale::logarithmic(0.9, 5000, 0, 100), 4) == Labels{"1", "10", "100", "1k"});
    CHECK(labels(Scale::logarithmic(0.9, 25, 0, 100), 6) == Labels{"1", "2", "5", "10", "20"});
    for (double const high : {1.5, 30.0, 1e3, 1e6, 1e9})
        CHECK(Scale::logarithmic(1, high, 0, 100).ticks(6).size() <= 6);
    Scale const log = Scale::logarithmic(1, 100, 0, 200);
    CHECK(log(10) == Approx(100));
    CHECK(log(1000) == Approx(200)); // at the edge
    CHECK(Scale::over({0.9, 1.1, 3000}, 0, 1).is_log());
    CHECK_FALSE(Scale::over({-1, 0, 3000}, 0, 1).is_log());
    CHECK(Scale::over({0.95, 1.1}, 0, 1).low() > 0.9);
}

TEST_CASE("the view finds columns, sections and values") {
    test::Fixture const fixture;
    View const view(fixture.results, "p-", "r.json");
    REQUIRE(view.columns.size() == 2); // paravirt-demo cannot run here
    CHECK(view.columns[0].style == "e1");
    CHECK(view.style_of("native") == "e0");
    CHECK(view.style_of("native (A/A)") == "aa");
    REQUIRE(view.sections.size() == 3);
    CHECK(view.sections[1].id == "calls-ratio");
    CHECK(view.id("a b") == "p-a-b");

    auto const ratios = view.block_ratios(view.sections[1].rows[0]);
    REQUIRE(ratios.at("isolate").size() == test::Fixture::k_blocks);
    CHECK(ratios.at("isolate")[0].value == Approx(1.212));
    CHECK(ratios.at("isolate")[1].value == Approx(1.2));
    CHECK(ratios.count("native") == 0);

    auto const times = view.run_times(fixture.results.workloads[2]);
    CHECK(times.at("isolate").front() == Approx(3.1));
    CHECK(times.at("isolate").back() == Approx(4.2));
    CHECK(times.count("vmm-mini") == 0); // all of them failed: no time is not a short time
}

TEST_CASE("result files are read as they are or refused with the reason") {
    auto const directory = TempDir::create("isobench-report-test");
    REQUIRE(directory);
    test::Fixture fixture;
    std::string const text = iso::bench::to_json(fixture.results);
    std::string const good = put(*directory, "good.json", text);
    auto const read = read_inputs({good});
    REQUIRE(read);
    CHECK(read->front().name == "good.json");
    CHECK(read->front().results.cells.size() == fixture.results.cells.size());

    auto refused = [&](std::string const& path, std::string const& why) {
        auto const result = read_inputs({path});
        REQUIRE_FALSE(result);
        INFO(result.error().message());
        CHECK(result.error().exit_status == iso::exit_code::usage);
        CHECK(result.error().message().find(why) != std::string::npos);
        CHECK(result.error().message().find(path) != std::string::npos);
    };
    refused(directory->path() + "/missing.json", "No such file");
    refused(put(*directory, "cut.json", text.substr(0, text.size() / 2)), "JSON object");
    refused(put(*directory, "empty.json", ""), "JSON object");
    std::string other = text;
    other.replace(other.find("isolab.results/1"), 16, "isolab.results/9");
    refused(put(*directory, "other.json", other), "another schema");

    // Two results in one file: cells of other bytes, blocks that were measured twice.
    test::Fixture mixed;
    mixed.results.cells.front().sha256 = "of other bytes";
    refused(put(*directory, "bytes.json", iso::bench::to_json(mixed.results)), "two hashes");
    mixed = test::Fixture();
    auto const one =
        std::find_if(mixed.results.samples.begin(), mixed.results.samples.end(),
                     [](iso::bench::Sample const& sample) { return sample.block != 0; });
    REQUIRE(one != mixed.results.samples.end());
    mixed.results.samples.push_back(iso::bench::Sample(*one));
    refused(put(*directory, "twice.json", iso::bench::to_json(mixed.results)), "two results");

    auto const twice = read_inputs({good, put(*directory, "copy.json", text)});
    REQUIRE_FALSE(twice);
    CHECK(twice.error().cause == "the same result as good.json");
}

TEST_CASE("results that cannot be compared say why") {
    test::Fixture const first;
    test::Fixture second;
    CHECK(differences(first.results, second.results).empty());
    second.results.environment.facts[0].text = "Another CPU";
    second.results.workloads[1].sha256 = "changed";
    auto const found = differences(first.results, second.results);
    REQUIRE(found.size() == 2);
    CHECK(found[0] == "another cpu.model: Test CPU and Another CPU");
    CHECK(found[1] == "other bytes or arguments of syscall-null");
}

TEST_CASE("published figures have a source, and their ratios agree with their values") {
    auto const references = References::built_in();
    REQUIRE(references);
    CHECK(references->figures.size() >= 18);
    for (Reference const& reference : references->figures) {
        INFO(reference.label);
        CHECK(references->find(reference.source) != nullptr);
        CHECK((reference.ratio || reference.p50_ms));
        if (!reference.ratio) continue;
        double const value = std::stod(reference.value);
        double const native = std::stod(reference.against);
        bool const time = reference.value.ends_with("ns") || reference.value.ends_with("us");
        CHECK(*reference.ratio == Approx(time ? value / native : native / value).epsilon(0.001));
    }
    CHECK_FALSE(References::parse("{}"));
    CHECK_FALSE(References::parse(R"({"sources": [], "figures": [{"group": "a", "label": "b",
        "value": "c", "source": "nobody"}]})"));
}
