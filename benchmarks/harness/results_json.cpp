#include "benchmarks/harness/results_json.hpp"

#include "benchmarks/harness/json_fields.hpp"

namespace iso::bench {

using nlohmann::json;

namespace {

std::string text_of(json const& document, int indent = -1) {
    return document.dump(indent, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace

std::string to_json(Results const& results) {
    json document = {{"schema", Results::schema},
                     {"environment", results.environment},
                     {"options",
                      {{"mode", results.mode},
                       {"counts", results.counts},
                       {"seed", results.seed},
                       {"cpu", results.cpu ? json(*results.cpu) : json()},
                       {"time_budget_ns", results.time_budget_ns}}},
                     {"elapsed_ns", results.elapsed_ns},
                     {"complete", results.complete()},
                     {"engines", results.engines},
                     {"workloads", results.workloads},
                     {"cells", results.cells},
                     {"unit_costs_ns", results.unit_costs},
                     {"decompositions", results.decompositions},
                     {"parts", results.parts},
                     {"warnings", results.warnings}};
    // Samples are many: one on a line keeps the file readable for a person and for diff.
    std::string text = document.dump(1, ' ', false, json::error_handler_t::replace);
    text.resize(text.rfind('\n'));
    text += ",\n \"samples\": [";
    for (std::size_t i = 0; i < results.samples.size(); ++i)
        text += (i == 0 ? "\n  " : ",\n  ") +
                json(results.samples[i]).dump(-1, ' ', false, json::error_handler_t::replace);
    return text + "\n ]\n}\n";
}

Result<Results> parse_results(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object())
        return error("results", "not one JSON object: truncated, or not a result",
                     "isobench compare --json FILE writes one");
    try {
        if (!in.contains("schema"))
            return error("results", "it names no schema", "a file that isobench wrote");
        if (in.at("schema") != Results::schema)
            return error("results", "another schema: " + in.at("schema").dump(),
                         "a file of this version of isobench");
        Results results;
        in.at("environment").get_to(results.environment);
        json const& options = in.at("options");
        options.at("mode").get_to(results.mode);
        options.at("seed").get_to(results.seed);
        if (options.contains("counts")) options.at("counts").get_to(results.counts);
        if (!options.at("cpu").is_null()) results.cpu = options.at("cpu").get<int>();
        options.at("time_budget_ns").get_to(results.time_budget_ns);
        in.at("elapsed_ns").get_to(results.elapsed_ns);
        in.at("engines").get_to(results.engines);
        in.at("workloads").get_to(results.workloads);
        in.at("cells").get_to(results.cells);
        in.at("samples").get_to(results.samples);
        in.at("warnings").get_to(results.warnings);
        if (in.contains("parts")) in.at("parts").get_to(results.parts);
        if (in.contains("unit_costs_ns")) in.at("unit_costs_ns").get_to(results.unit_costs);
        if (in.contains("decompositions")) in.at("decompositions").get_to(results.decompositions);
        return results;
    } catch (json::exception const& problem) {
        return error("results", problem.what());
    }
}

std::string to_json(Sample const& sample) {
    return text_of(json(sample), 2);
}

std::string probe_json(Environment const& environment, Lineup const& lineup) {
    json engines = json::array();
    for (Arm const& arm : lineup.arms)
        if (!arm.control)
            engines.push_back(EngineRecord{arm.name, std::string(arm.engine->technique()),
                                           arm.probe.backend, arm.probe.usable, false,
                                           arm.probe.reason, arm.probe.next_step});
    return text_of({{"schema", "isolab.machine/1"},
                    {"environment", environment},
                    {"engines", engines},
                    {"warnings", environment.warnings}},
                   2);
}

std::string list_json(std::string const& workload_directory) {
    json list = json::array();
    for (Workload const& workload : workloads())
        list.push_back({{"name", workload.name},
                        {"program", workload.file()},
                        {"group", workload.group},
                        {"title", workload.title},
                        {"measures", workload.measures},
                        {"kind", to_string(workload.kind)},
                        {"ops", workload.ops},
                        {"quick_ops", workload.quick_ops},
                        {"arguments", split_words(workload.arguments)},
                        {"quick_arguments", split_words(workload.quick_arguments)},
                        {"program_arguments", split_words(program_of(workload).arguments)},
                        {"needs", workload.needs},
                        {"neighbour", workload.neighbour},
                        {"by_default", workload.by_default},
                        {"unit", unit_of(workload.kind)},
                        {"metric", metric_of(workload.kind)},
                        {"path", workload_directory + "/" + std::string(workload.file())}});
    json engines = json::array();
    for (auto const& engine : make_engines({}))
        engines.push_back({{"name", engine->name()}, {"technique", engine->technique()}});
    return text_of({{"schema", "isolab.list/1"}, {"workloads", list}, {"engines", engines}}, 2);
}

} // namespace iso::bench
