// docs/gate.schema.json says what `isobench gate --format json` writes.
#include "benchmarks/gate/gate_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"

#include <fstream>

using namespace iso::bench;
using iso::test::fault;
using nlohmann::json;

namespace {

json schema() {
    std::ifstream in(ISO_GATE_SCHEMA_FILE);
    return json::parse(in);
}

/// Forty changes around `centre`.
GateCell cell(double centre, double spread) {
    GateCell one{"cpu-int", "vmm-mini", "cpu-time"};
    one.controls.emplace_back();
    for (int i = 0; i < 40; ++i) {
        one.evidence.changes.push_back(centre + spread * (i - 19.5) / 39);
        one.controls.front().push_back(spread * (i - 19.5) / 39);
    }
    return one;
}

json written(Judgement const& judgement) {
    return json::parse(gate_json(judgement, "base A against head B"));
}

Judgement of_all_outcomes() {
    GateCell missing{"hello", "isolate", "start-up"};
    missing.missing = "failed: it crashed";
    GateCell short_one = cell(0, 0.01);
    short_one.evidence.changes.resize(3); // too few for an interval
    return judge(
        {cell(0, 0.01), cell(0.2, 0.01), cell(-0.2, 0.01), cell(0, 1.5), missing, short_one}, {});
}

} // namespace

TEST_CASE("every outcome is written as the published schema says") {
    Judgement judgement = of_all_outcomes();
    for (Outcome const outcome : {Outcome::fine, Outcome::regression, Outcome::improvement,
                                  Outcome::too_noisy, Outcome::not_run})
        CHECK(judgement.count(outcome) != 0);
    judgement.notes = {"a note"};
    CHECK(fault(schema(), written(judgement), "") == "");
    CHECK(fault(schema(), written({}), "") == "");
    judgement.counts = true;
    judgement.cells.front().metric = "counts";
    judgement.cells.front().shown = "exit.io more";
    CHECK(fault(schema(), written(judgement), "") == "");
}

TEST_CASE("the gate's schema refuses what is wrong") {
    json const good = written(of_all_outcomes());
    auto refused = [&](char const* where, json const& value) {
        json bad = good;
        bad[json::json_pointer(where)] = value;
        return fault(schema(), bad, "");
    };
    CHECK(refused("/schema", "isolab.gate/2") != "");
    CHECK(refused("/exit_status", 4) != "");
    CHECK(refused("/cells/0/outcome", "good") != "");
    CHECK(refused("/cells/0/change", "3 %") != "");
    CHECK(refused("/cells/0/n", -1) != "");
    CHECK(refused("/notes", "none") != "");
    json lacking = good;
    lacking.at("cells").front().erase("reason");
    CHECK(fault(schema(), lacking, "").find("lacks \"reason\"") != std::string::npos);
}
