#include "benchmarks/gate/family_of.hpp"

#include "benchmarks/harness/machine_identity.hpp"
#include "benchmarks/harness/series.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

std::string const k_wall = "wall-time";

/// ln(first / second) in the blocks where both are positive.
std::vector<double> log_ratios(Metric const& metric, ArmSamples const& first,
                               ArmSamples const& second) {
    std::vector<double> logs;
    for (auto const& [a, b] : paired_values(metric, first, second))
        if (a > 0 && b > 0) logs.push_back(std::log(a / b));
    return logs;
}

/// Whether a cell holds a number, or why not.
std::string trouble_of(Results const& results, std::string const& workload, Metric const& metric,
                       std::string const& arm) {
    Cell const* const cell = results.find(workload, metric.name, arm);
    if (cell == nullptr) return "not measured";
    if (cell->status == Status::ok || cell->status == Status::inconclusive) return {};
    return fmt::format("{}: {}", to_string(cell->status), cell->reason);
}

bool is_unavailable(Results const& results, std::string const& workload, Metric const& metric,
                    std::string const& arm) {
    Cell const* const cell = results.find(workload, metric.name, arm);
    return cell != nullptr && cell->status == Status::unavailable;
}

std::vector<Metric> metrics_for(std::span<Sample const> samples, WorkloadRecord const& workload) {
    return metrics_of(workload.kind, workload.ops, clocks_are_shared(samples, workload.name));
}

Metric const* find_metric(std::vector<Metric> const& metrics, std::string const& name) {
    auto const found = std::find_if(metrics.begin(), metrics.end(),
                                    [&](Metric const& metric) { return metric.name == name; });
    return found == metrics.end() ? nullptr : &*found;
}

bool is_chosen(std::vector<std::string> const& chosen, std::string const& name) {
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

WorkloadRecord const* find_workload_record(Results const& results, std::string const& name) {
    auto const found =
        std::find_if(results.workloads.begin(), results.workloads.end(),
                     [&](WorkloadRecord const& record) { return record.name == name; });
    return found == results.workloads.end() ? nullptr : &*found;
}

std::string differences(Results const& base, Results const& head,
                        std::span<char const* const> keys) {
    std::vector<std::string> parts;
    for (char const* const key : keys)
        if (base.environment.get(key) != head.environment.get(key))
            parts.push_back(fmt::format("{} is '{}' in base and '{}' in head", key,
                                        base.environment.get(key), head.environment.get(key)));
    return fmt::format("{}", fmt::join(parts, "; "));
}

/// Why the same cell of two files cannot be compared; empty: it can.
std::string mismatch(WorkloadRecord const* base, WorkloadRecord const* head) {
    if (base == nullptr) return "not in base";
    if (head == nullptr) return "not in head";
    if (base->sha256 != head->sha256)
        return fmt::format("other bytes: SHA-256 {:.12} in base, {:.12} in head", base->sha256,
                           head->sha256);
    if (base->arguments != head->arguments || base->kind != head->kind)
        return fmt::format("other arguments: '{}' in base, '{}' in head",
                           fmt::join(base->arguments, " "), fmt::join(head->arguments, " "));
    if (base->neighbour != head->neighbour || base->neighbour_sha256 != head->neighbour_sha256)
        return fmt::format("another neighbour: '{}' {:.12} in base, '{}' {:.12} in head",
                           base->neighbour, base->neighbour_sha256, head->neighbour,
                           head->neighbour_sha256);
    return {};
}

GateCell cell_of_files(Results const& base, Results const& head, std::string const& engine,
                       WorkloadRecord const& in_base, WorkloadRecord const& in_head,
                       Metric const& metric) {
    GateCell cell{in_base.name, engine, metric.name};
    std::string const native = base.engines.front().name;
    for (auto const& [results, side] : {std::pair{&base, "base"}, std::pair{&head, "head"}})
        if (std::string const trouble = trouble_of(*results, in_base.name, metric, engine);
            !trouble.empty() && cell.missing.empty())
            cell.missing = fmt::format("in {}: {}", side, trouble);
    if (!cell.missing.empty()) return cell;
    Cell const& one = *base.find(in_base.name, metric.name, engine);
    Cell const& other = *head.find(in_base.name, metric.name, engine);
    cell.backend = one.backend;
    if (one.backend != other.backend) {
        cell.missing =
            fmt::format("other backend: {} in base, {} in head", one.backend, other.backend);
        return cell;
    }
    auto const metrics_base = metrics_for(base.samples, in_base);
    auto const metrics_head = metrics_for(head.samples, in_head);
    auto evidence = [&](std::string const& name) {
        Evidence found;
        found.paired = false;
        Metric const* const a = find_metric(metrics_base, name);
        Metric const* const b = find_metric(metrics_head, name);
        if (a == nullptr || b == nullptr) return found;
        found.base = log_ratios(*a, collect(base.samples, in_base, engine),
                                collect(base.samples, in_base, native));
        found.head = log_ratios(*b, collect(head.samples, in_head, engine),
                                collect(head.samples, in_head, native));
        return found;
    };
    cell.evidence = evidence(metric.name);
    if (metric.name == "cpu-time" && find_metric(metrics_base, k_wall))
        cell.second = evidence(k_wall);
    auto control = [&](Results const& results, WorkloadRecord const& workload,
                       std::vector<Metric> const& metrics) {
        for (EngineRecord const& record : results.engines)
            if (record.control)
                cell.controls.push_back(log_ratios(*find_metric(metrics, metric.name),
                                                   collect(results.samples, workload, record.name),
                                                   collect(results.samples, workload, native)));
    };
    if (find_metric(metrics_head, metric.name) == nullptr) {
        cell.missing = "in head the clock of an engine is not the host's: another metric";
        return cell;
    }
    control(base, in_base, metrics_base);
    control(head, in_head, metrics_head);
    return cell;
}

} // namespace

std::string base_arm(std::string const& engine) {
    return engine;
}
std::string control_arm(std::string const& engine) {
    return engine + " (A/A)";
}
std::string head_arm(std::string const& engine) {
    return engine + " (head)";
}

std::vector<GateCell> cells_of_run(std::span<Sample const> samples, WorkloadRecord const& workload,
                                   std::vector<std::string> const& engines) {
    std::vector<GateCell> cells;
    std::vector<Metric> const metrics = metrics_for(samples, workload);
    Metric const* const wall = find_metric(metrics, k_wall);
    for (std::string const& engine : engines) {
        ArmSamples const base = collect(samples, workload, base_arm(engine));
        ArmSamples const twin = collect(samples, workload, control_arm(engine));
        ArmSamples const head = collect(samples, workload, head_arm(engine));
        for (Metric const& metric : metrics) {
            if (!metric.deciding) continue;
            GateCell cell{workload.name, engine, metric.name};
            cell.evidence.changes = log_ratios(metric, head, base);
            if (metric.name == "cpu-time" && wall != nullptr)
                cell.second.changes = log_ratios(*wall, head, base);
            cell.controls.push_back(log_ratios(metric, twin, base));
            cells.push_back(std::move(cell));
        }
    }
    return cells;
}

Family family_of_run(Results const& results, std::vector<std::string> const& engines) {
    Family family;
    for (WorkloadRecord const& workload : results.workloads) {
        auto const metrics = metrics_for(results.samples, workload);
        for (GateCell& cell : cells_of_run(results.samples, workload, engines)) {
            Metric const& metric = *find_metric(metrics, cell.metric);
            std::string const base = base_arm(cell.engine);
            std::string const head = head_arm(cell.engine);
            bool const usable = std::any_of(
                results.engines.begin(), results.engines.end(),
                [&](EngineRecord const& engine) { return engine.name == base && engine.usable; });
            if (usable && is_unavailable(results, workload.name, metric, base) &&
                is_unavailable(results, workload.name, metric, head)) {
                family.notes.push_back(
                    fmt::format("{} in {} is not available here: {}", workload.name, cell.engine,
                                results.find(workload.name, metric.name, base)->reason));
                continue;
            }
            for (std::string const& arm : {base, head})
                if (std::string const trouble = trouble_of(results, workload.name, metric, arm);
                    !trouble.empty() && cell.missing.empty())
                    cell.missing = fmt::format("{}: {}", arm == base ? "base" : "head", trouble);
            if (cell.missing.empty())
                cell.backend = results.find(workload.name, metric.name, base)->backend;
            family.cells.push_back(std::move(cell));
        }
    }
    return family;
}

Result<Family> family_of_files(Results const& base, Results const& head,
                               std::vector<std::string> const& engines,
                               std::vector<std::string> const& workloads) {
    if (std::string const text = differences(base, head, k_machine_facts); !text.empty())
        return tl::unexpected<Error>(
            std::move(error("gate", "the files are of different machines: " + text,
                            "two results of one machine, or two build trees on this one")
                          .value())
                .with_exit(exit_code::gate_not_run));
    Family family;
    if (std::string const text = differences(base, head, k_told_facts); !text.empty())
        family.notes.push_back("not the same in both files: " + text);
    family.notes.emplace_back(
        "two files were measured one after the other, and each cell is compared through native; "
        "build trees (--base DIR --head DIR) are measured side by side and show smaller changes");

    std::vector<std::string> names;
    for (Results const* const results : {&base, &head})
        for (WorkloadRecord const& record : results->workloads)
            if (std::find(names.begin(), names.end(), record.name) == names.end() &&
                is_chosen(workloads, record.name))
                names.push_back(record.name);
    std::vector<EngineRecord> columns;
    for (Results const* const results : {&base, &head})
        for (EngineRecord const& record : results->engines)
            if (&record != &results->engines.front() && !record.control &&
                is_chosen(engines, record.name) &&
                std::none_of(columns.begin(), columns.end(),
                             [&](EngineRecord const& one) { return one.name == record.name; }))
                columns.push_back(record);
    for (std::string const& name : names) {
        WorkloadRecord const* const in_base = find_workload_record(base, name);
        WorkloadRecord const* const in_head = find_workload_record(head, name);
        std::string const why = mismatch(in_base, in_head);
        Results const& known = in_base != nullptr ? base : head;
        auto const metrics = metrics_for(known.samples, in_base != nullptr ? *in_base : *in_head);
        for (EngineRecord const& column : columns)
            for (Metric const& metric : metrics) {
                if (!metric.deciding) continue;
                if (is_unavailable(base, name, metric, column.name) &&
                    is_unavailable(head, name, metric, column.name)) {
                    family.notes.push_back(fmt::format("{} in {} was not available in either file",
                                                       name, column.name));
                    continue;
                }
                if (!why.empty()) {
                    family.cells.push_back({name, column.name, metric.name});
                    family.cells.back().missing = why;
                    continue;
                }
                family.cells.push_back(
                    cell_of_files(base, head, column.name, *in_base, *in_head, metric));
            }
    }
    return family;
}

} // namespace iso::bench
