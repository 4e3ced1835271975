#include "benchmarks/report/view.hpp"

#include "benchmarks/harness/metrics.hpp"
#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::report {

namespace {

/// Our engines keep their colour in every report; others take the rest in turn.
std::string colour_of(std::string const& engine, unsigned& others) {
    if (engine == "isolate") return "e1";
    if (engine == "vmm-mini") return "e2";
    if (engine == "paravirt-demo") return "e3";
    return fmt::format("e{}", 4 + others++ % 5);
}

std::string label_of(WorkloadRecord const& workload, std::string const& metric) {
    if (workload.kind == Kind::density) return workload.name + ": " + metric;
    if (workload.kind != Kind::start_up && workload.kind != Kind::program) return workload.name;
    std::string const what = metric == "start-up"        ? "first instruction"
                             : metric == "first-output"  ? "first output"
                             : metric == "start-to-exit" ? "start to exit"
                                                         : "CPU time";
    return workload.name + ": " + what;
}

std::string title_of(WorkloadRecord const& workload, Comparison comparison) {
    Group const* const group = find_group(workload.group);
    std::string const title = group != nullptr ? std::string(group->title) : "The program";
    if (workload.kind == Kind::neighbour) return title + ": times the same without a neighbour";
    if (workload.kind == Kind::density) return title + ": KiB and milliseconds more than native";
    return title +
           (comparison == Comparison::added ? ": milliseconds more than native" : ": times native");
}

std::vector<Section> sections_of(Results const& results) {
    std::vector<Section> sections;
    for (WorkloadRecord const& workload : results.workloads) {
        std::vector<std::string> metrics;
        for (Cell const& cell : results.cells) {
            if (cell.workload != workload.name || !cell.deciding) continue;
            if (std::find(metrics.begin(), metrics.end(), cell.metric) != metrics.end()) continue;
            metrics.push_back(cell.metric);
            std::string const group = workload.group.empty() ? "program" : workload.group;
            std::string const id = group + "-" + std::string(to_string(cell.comparison));
            auto at = std::find_if(sections.begin(), sections.end(),
                                   [&](Section const& section) { return section.id == id; });
            if (at == sections.end())
                at = sections.insert(
                    at, {id, group, title_of(workload, cell.comparison), cell.comparison, {}});
            at->rows.push_back(
                {&workload, cell.metric, label_of(workload, cell.metric), cell.comparison});
        }
    }
    return sections;
}

} // namespace

View::View(Results const& r, std::string p, std::string n)
    : results(r)
    , prefix(std::move(p))
    , name(std::move(n))
    , sections(sections_of(r)) {
    unsigned others = 0;
    for (std::size_t i = 1; i < results.engines.size(); ++i) {
        EngineRecord const& engine = results.engines[i];
        if (engine.usable && !engine.control)
            columns.push_back({&engine, colour_of(engine.name, others)});
    }
}

Cell const* View::cell(Row const& row, EngineRecord const& engine) const {
    return results.find(row.workload->name, row.metric, engine.name);
}

Cell const* View::native(Row const& row) const {
    return results.find(row.workload->name, row.metric, results.engines.front().name);
}

Cell const* View::control(Row const& row) const {
    for (EngineRecord const& engine : results.engines)
        if (engine.control) return cell(row, engine);
    return nullptr;
}

std::string View::id(std::string_view what) const {
    return prefix + slug(what);
}

std::string View::style_of(std::string_view engine) const {
    for (Column const& column : columns)
        if (column.engine->name == engine) return column.style;
    return engine == results.engines.front().name ? "e0" : "aa";
}

std::map<std::string, std::vector<BlockValue>> View::block_ratios(Row const& row) const {
    if (row.comparison == Comparison::alone) return {}; // native is not what it is divided by
    WorkloadRecord const& workload = *row.workload;
    bool const shared_clock = row.metric != "first-output";
    std::vector<Metric> const metrics = metrics_of(workload.kind, workload.ops, shared_clock);
    auto const metric = std::find_if(metrics.begin(), metrics.end(),
                                     [&](Metric const& m) { return m.name == row.metric; });
    if (metric == metrics.end()) return {};
    std::map<std::string, std::map<std::uint64_t, BlockSamples>> blocks;
    for (Sample const& sample : results.samples) {
        if (sample.workload != workload.name || sample.block == 0 || !sample.good()) continue;
        BlockSamples& block = blocks[sample.arm][sample.block];
        if (sample.role == Role::measure) block.measure = &sample;
        if (sample.role == Role::baseline) block.baseline = &sample;
    }
    std::map<std::string, std::vector<BlockValue>> ratios;
    auto const& native = blocks[results.engines.front().name];
    for (auto const& [engine, own] : blocks) {
        if (engine == results.engines.front().name) continue;
        for (auto const& [number, block] : own) {
            auto const base = native.find(number);
            if (base == native.end()) continue;
            auto const mine = metric->value(block);
            auto const theirs = metric->value(base->second);
            if (mine && theirs && *mine > 0 && *theirs > 0)
                ratios[engine].push_back({number, *mine / *theirs});
        }
    }
    return ratios;
}

std::map<std::string, std::vector<double>> View::run_times(WorkloadRecord const& workload) const {
    std::map<std::string, std::vector<double>> times;
    for (Sample const& sample : results.samples)
        if (sample.workload == workload.name && sample.role == Role::measure && sample.block != 0 &&
            sample.good())
            times[sample.arm].push_back(static_cast<double>(sample.wall_ns) / 1e6);
    for (auto& [engine, values] : times)
        std::sort(values.begin(), values.end());
    return times;
}

std::string word_for(Cell const* cell) {
    if (cell == nullptr) return "not measured";
    if (cell->status == Status::unavailable) return "n/a";
    if (cell->status == Status::incomplete) return "too few";
    if (cell->status == Status::inconclusive) return "unclear";
    if (cell->status == Status::ok) return cell->effect() ? "" : "no number";
    return std::string(to_string(cell->status));
}

std::string effect_text(Cell const& cell) {
    if (!cell.effect()) return word_for(&cell);
    if (cell.comparison != Comparison::added) return figure_of(*cell.effect());
    if (std::abs(*cell.effect()) >= 10'000) return signed_figure(*cell.effect() / 1000) + " s";
    return signed_figure(*cell.effect()) + " ms";
}

std::string interval_text(Cell const& cell) {
    if (!cell.ci_low || !cell.ci_high) return {};
    bool const ratio = cell.comparison != Comparison::added;
    auto show = [&](double value) { return ratio ? figure_of(value) : signed_figure(value); };
    return fmt::format("[{}, {}]", show(*cell.ci_low), show(*cell.ci_high));
}

std::string time_text(double value, std::string_view unit) {
    return format_ns(value * (unit == "ms" ? 1e6 : 1), TableStyle{});
}

} // namespace iso::bench::report
