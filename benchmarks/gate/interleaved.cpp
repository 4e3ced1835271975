#include "benchmarks/gate/interleaved.hpp"

#include "benchmarks/harness/identity.hpp"
#include "benchmarks/harness/metrics.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_rounds_wanted = 40; ///< enough for a 3 % change on a quiet machine

Engine const* find_engine(std::vector<std::unique_ptr<Engine>> const& engines,
                          std::string const& name) {
    for (auto const& engine : engines)
        if (engine->name() == name) return engine.get();
    return nullptr;
}

/// How many cells the family will have.
std::size_t family_size(std::vector<Row> const& rows, GateLineup const& gate) {
    std::size_t cells = 0;
    for (Row const& row : rows)
        for (Metric const& metric : metrics_of(row.record.kind, row.record.ops, true))
            if (metric.deciding) cells += gate.engines.size();
    return cells;
}

} // namespace

std::uint64_t fewest_blocks(std::size_t family, GateRule const& rule) {
    constexpr double room = 8;
    auto const size = static_cast<double>(std::max<std::size_t>(family, 1));
    return std::max<std::uint64_t>(
        10, static_cast<std::uint64_t>(std::ceil(std::log2(room * size / rule.level))));
}

bool enough(std::vector<GateCell> const& cells, GateRule const& rule) {
    return std::all_of(cells.begin(), cells.end(), [&](GateCell const& cell) {
        return cell.evidence.changes.empty() || is_decided(cell, rule);
    });
}

Result<GateLineup> GateLineup::probe(Side const& base, Side const& head,
                                     std::vector<std::string> const& chosen, double inject,
                                     Interrupts& interrupts) {
    GateLineup gate;
    auto in_base = make_engines(base.path);
    auto in_head = make_engines(head.path);
    std::vector<std::string> known;
    for (auto const& engine : in_base)
        known.emplace_back(engine->name());
    for (std::string const& name : chosen)
        if (find_engine(in_base, name) == nullptr)
            return tl::unexpected<Error>(unknown_name("engine", name, known));
    std::string const native(in_base.front()->name());
    gate.lineup.arms.push_back({in_base.front().get(), native, false, in_base.front()->probe()});
    for (std::string const& name : known) {
        bool const wanted = chosen.empty()
                                ? name != native
                                : std::find(chosen.begin(), chosen.end(), name) != chosen.end();
        if (!wanted || interrupts.pending() != 0) continue;
        Engine const* const one = find_engine(in_base, name);
        Engine const* const other = find_engine(in_head, name);
        EngineProbe const probe = one->probe();
        EngineProbe const head_probe =
            other == nullptr ? EngineProbe{false, {}, "the head tree has no such engine", {}}
                             : other->probe();
        if (!probe.usable && !head_probe.usable && chosen.empty()) {
            gate.notes.push_back(fmt::format("{} is left out: {}", name, probe.reason));
            continue;
        }
        gate.engines.push_back(name);
        if (name != native) gate.lineup.arms.push_back({one, base_arm(name), false, probe});
        gate.lineup.arms.push_back({one, control_arm(name), true, probe});
        gate.lineup.arms.push_back(
            {other == nullptr ? one : other, head_arm(name), false, head_probe, inject});
    }
    for (auto* const engines : {&in_base, &in_head})
        for (auto& engine : *engines)
            gate.lineup.engines.push_back(std::move(engine));
    return gate;
}

Result<Compared> measure_interleaved(GateOptions const& options, Side const& base,
                                     GateLineup const& gate, Interrupts& interrupts,
                                     Progress& progress) {
    CompareOptions how = options.compare;
    how.engine_directory = base.path;
    how.workload_directory = base.workloads;
    how.most_blocks = options.blocks;
    how.explain = false;
    how.rounds_wanted = std::min(k_rounds_wanted, options.blocks);
    how.rounds_before_stopping =
        fewest_blocks(family_size(TRY(plan_rows(how, gate.lineup)), gate), options.rule);
    return compare(how, gate.lineup, interrupts, progress,
                   [&](Row const& row, std::vector<Sample> const& samples) {
                       return enough(cells_of_run(samples, row.record, gate.engines), options.rule);
                   });
}

std::vector<std::string> differing_workloads(Results const& results, Side const& base,
                                             Side const& head) {
    std::vector<std::string> names;
    for (WorkloadRecord const& workload : results.workloads) {
        if (!workload.path.starts_with(base.workloads)) continue;
        auto const other = identify(head.workloads + workload.path.substr(base.workloads.size()));
        if (!other || other->file_sha256 != workload.sha256) names.push_back(workload.name);
    }
    return names;
}

} // namespace iso::bench
