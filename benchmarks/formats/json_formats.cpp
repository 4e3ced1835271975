#include "benchmarks/formats/formats.hpp"
#include "benchmarks/harness/series.hpp"
#include "common/json.hpp"

#include <fmt/format.h>

namespace iso::bench {

using nlohmann::ordered_json;

namespace {

std::string name_of(Cell const& cell) {
    return fmt::format("{}/{}/{}", cell.workload, cell.metric, cell.engine);
}

ordered_json gb_entry(Cell const& cell) {
    return {{"name", name_of(cell)},
            {"run_name", name_of(cell)},
            {"run_type", "iteration"},
            {"repetitions", cell.n},
            {"threads", 1},
            {"label", cell.backend}};
}

/// Every block is an entry: compare.py's U test needs the values, not their median.
void add_blocks(ordered_json& list, Results const& results, WorkloadRecord const& workload,
                Cell const& cell) {
    auto const metrics =
        metrics_of(workload.kind, workload.ops, clocks_are_shared(results.samples, workload.name));
    ArmSamples const arm = collect(results.samples, workload, cell.engine);
    std::size_t index = 0;
    for (Metric const& metric : metrics) {
        if (metric.name != cell.metric) continue;
        for (auto const& [value, same] : paired_values(metric, arm, arm)) {
            ordered_json entry = gb_entry(cell);
            entry["repetition_index"] = index++;
            entry["iterations"] = workload.ops == 0 ? 1 : workload.ops;
            entry["real_time"] = value;
            entry["cpu_time"] = value;
            entry["time_unit"] = cell.unit == "ms" ? "ms" : "ns";
            list.push_back(std::move(entry));
        }
    }
}

} // namespace

std::string to_google_benchmark(Results const& results) {
    ordered_json list = ordered_json::array();
    for (WorkloadRecord const& workload : results.workloads)
        for (Cell const& cell : results.cells) {
            if (cell.workload != workload.name || !cell.deciding ||
                cell.status == Status::unavailable)
                continue;
            if (cell.status == Status::ok) {
                add_blocks(list, results, workload, cell);
                continue;
            }
            ordered_json entry = gb_entry(cell);
            entry["error_occurred"] = true;
            entry["error_message"] = fmt::format("{}: {}", to_string(cell.status), cell.reason);
            list.push_back(std::move(entry));
        }
    Environment const& machine = results.environment;
    ordered_json const document = {
        {"context",
         {{"date", machine.get("date")},
          {"host_name", ""},
          {"executable", "isobench"},
          {"num_cpus", static_cast<int>(machine.number("cpu.online").value_or(1))},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", false},
          {"caches", ordered_json::array()},
          {"load_avg", ordered_json::array({machine.number("load.1min").value_or(0)})},
          {"library_build_type", "release"},
          {"cpu_model", machine.get("cpu.model")},
          {"kernel", machine.get("kernel")},
          {"kvm_backend", machine.get("kvm.backend")}}},
        {"benchmarks", list}};
    return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string to_smaller_is_better(Results const& results) {
    ordered_json list = ordered_json::array();
    for (Cell const& cell : results.cells) {
        if (!cell.deciding || cell.status != Status::ok || !cell.effect()) continue;
        if (cell.engine == results.engines.front().name)
            continue; // native is what it is compared with
        bool const ratio = cell.comparison != Comparison::added;
        ordered_json entry = {{"name", name_of(cell)},
                              {"unit", cell.comparison == Comparison::alone ? "x alone"
                                       : ratio                              ? "x native"
                                               : "ms more than native"},
                              {"value", *cell.effect()}};
        if (cell.ci_low && cell.ci_high)
            entry["range"] = fmt::format("{:.4g} to {:.4g}", *cell.ci_low, *cell.ci_high);
        entry["extra"] =
            fmt::format("n = {}, backend {}, sha256 {:.16}", cell.n, cell.backend, cell.sha256);
        list.push_back(std::move(entry));
    }
    return list.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace iso::bench
