// docs/results.schema.json says what we write.
#include "benchmarks/harness/metrics.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "common/json.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"

#include <fstream>

using namespace iso::bench;
using iso::test::fault;
using nlohmann::json;

namespace {

json schema() {
    std::ifstream in(ISO_SCHEMA_FILE);
    return json::parse(in);
}

} // namespace

TEST_CASE("what is written is what the published schema says") {
    CHECK(fault(schema(), json::parse(to_json(iso::bench::test::some_results())), "") == "");
    iso::bench::test::Synthetic made({"isolate"});
    made.add_workload("cpu-int", 3);
    made.measure("cpu-int", "isolate", 1.1, 0.01);
    CHECK(fault(schema(), json::parse(to_json(made.results)), "") == "");
}

TEST_CASE("the schema knows every kind of workload and its metrics") {
    using iso::bench::Kind;
    json document = json::parse(to_json(iso::bench::test::some_results()));
    for (Kind const kind : {Kind::compute, Kind::latency, Kind::start_up, Kind::density,
                            Kind::neighbour, Kind::program})
        for (bool const shared_clock : {false, true})
            for (auto const& metric : iso::bench::metrics_of(kind, 1000, shared_clock)) {
                document["workloads"][0]["kind"] = to_string(kind);
                document["cells"][0]["metric"] = metric.name;
                document["cells"][0]["unit"] = metric.unit;
                CHECK(fault(schema(), document, "") == "");
            }
}

TEST_CASE("the schema refuses what is wrong") {
    json const good = json::parse(to_json(iso::bench::test::some_results()));
    auto refused = [&](json::json_pointer const& where, json const& value) {
        json bad = good;
        bad[where] = value;
        return fault(schema(), bad, "");
    };
    using Pointer = json::json_pointer;
    CHECK(refused(Pointer("/schema"), "isolab.results/2") != "");
    CHECK(refused(Pointer("/cells/0/status"), "fine") != "");
    CHECK(refused(Pointer("/cells/0/median"), "5") != "");
    CHECK(refused(Pointer("/samples/0/counters/x"), -1) != "");
    CHECK(refused(Pointer("/engines"), json::array()) != "");
    json lacking = good;
    lacking.erase("samples");
    CHECK(fault(schema(), lacking, "").find("lacks \"samples\"") != std::string::npos);
}
