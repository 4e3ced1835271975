// docs/results.schema.json says what we write: by the few keywords of JSON Schema that it uses. A
// keyword that is not known here fails the test instead of being passed over.
#include "benchmarks/harness/metrics.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/synthetic.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

using namespace iso::bench;
using nlohmann::json;

namespace {

bool is_of_type(json const& value, std::string const& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
}

/// What is wrong with a value, by one keyword after the other; empty: nothing.
std::string fault(json const& schema, json const& value, std::string const& where);

std::string fault_inside(json const& schema, json const& value, std::string const& where) {
    if (value.is_array() && schema.contains("items"))
        for (std::size_t i = 0; i < value.size(); ++i)
            if (auto text = fault(schema.at("items"), value[i], where + "/" + std::to_string(i));
                !text.empty())
                return text;
    if (!value.is_object()) return {};
    json const known = schema.value("properties", json::object());
    for (auto const& [key, member] : value.items()) {
        json const* const rule = known.contains(key) ? &known.at(key)
                                 : schema.contains("additionalProperties")
                                     ? &schema.at("additionalProperties")
                                     : nullptr;
        if (rule == nullptr) continue;
        if (auto text = fault(*rule, member, where + "/" + key); !text.empty()) return text;
    }
    return {};
}

std::string fault(json const& schema, json const& value, std::string const& where) {
    for (auto const& [keyword, rule] : schema.items()) {
        bool good = true;
        if (keyword == "type") {
            good = false;
            for (json const& type : rule.is_array() ? rule : json::array({rule}))
                good |= is_of_type(value, type.get<std::string>());
        } else if (keyword == "const") {
            good = value == rule;
        } else if (keyword == "enum") {
            good = std::find(rule.begin(), rule.end(), value) != rule.end();
        } else if (keyword == "minimum") {
            good = !value.is_number() || value.get<double>() >= rule.get<double>();
        } else if (keyword == "minItems") {
            good = !value.is_array() || value.size() >= rule.get<std::size_t>();
        } else if (keyword == "required") {
            if (value.is_object())
                for (json const& key : rule)
                    if (!value.contains(key.get<std::string>()))
                        return where + " lacks " + key.dump();
        } else if (keyword != "items" && keyword != "properties" &&
                   keyword != "additionalProperties" && keyword != "$schema" &&
                   keyword != "title" && keyword != "description") {
            return "the schema has a keyword that this test does not know: " + keyword;
        }
        if (!good) return where + ": " + keyword + " " + rule.dump() + " refuses " + value.dump();
    }
    return fault_inside(schema, value, where);
}

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
