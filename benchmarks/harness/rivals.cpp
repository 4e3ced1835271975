#include "benchmarks/harness/rivals.hpp"

#include "benchmarks/harness/grid.hpp"
#include "benchmarks/harness/metrics.hpp"
#include "benchmarks/harness/table.hpp"
#include "benchmarks/statistics/median.hpp"
#include "benchmarks/statistics/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench {

namespace {

constexpr unsigned k_resamples = 4000;

/// Ours, the two arms of native excepted: they isolate nothing, so nothing is their peer.
bool is_ours(EngineRecord const& engine) {
    return engine.usable && !engine.peer && !engine.control && engine.technique != "none";
}

std::vector<EngineRecord const*> peers_of(Results const& results, EngineRecord const& ours) {
    std::vector<EngineRecord const*> peers;
    for (EngineRecord const& engine : results.engines)
        if (engine.peer && engine.usable && engine.technique == ours.technique)
            peers.push_back(&engine);
    return peers;
}

/// The metric's value in every measured block of an arm.
std::vector<std::optional<double>> series_of(Results const& results, WorkloadRecord const& workload,
                                             std::string const& arm, Metric const& metric) {
    std::vector<BlockSamples> blocks(workload.blocks + 1);
    for (Sample const& sample : results.samples) {
        if (sample.workload != workload.name || sample.arm != arm || !sample.good()) continue;
        if (sample.block == 0 || sample.block >= blocks.size()) continue;
        if (sample.role == Role::measure) blocks[sample.block].measure = &sample;
        if (sample.role == Role::baseline) blocks[sample.block].baseline = &sample;
    }
    std::vector<std::optional<double>> series;
    for (BlockSamples const& block : blocks)
        series.push_back(metric.value(block));
    return series;
}

bool has_number(Results const& results, Rival const& rival, std::string const& engine) {
    Cell const* const cell = results.find(rival.workload, rival.metric, engine);
    return cell != nullptr && cell->deciding && cell->status == Status::ok;
}

std::optional<Rival> compare(Results const& results, WorkloadRecord const& workload,
                             Metric const& metric, Rival rival) {
    rival.workload = workload.name;
    rival.metric = metric.name;
    if (!has_number(results, rival, rival.ours) || !has_number(results, rival, rival.peer))
        return {};
    auto const ours = series_of(results, workload, rival.ours, metric);
    auto const peer = series_of(results, workload, rival.peer, metric);
    std::vector<double> ratios;
    for (std::size_t block = 0; block < ours.size(); ++block)
        if (ours[block] && peer[block] && *ours[block] > 0)
            ratios.push_back(*peer[block] / *ours[block]);
    if (ratios.empty()) return {};
    rival.n = ratios.size();
    rival.ratio = median(ratios);
    if (ratios.size() < k_fewest_for_interval) return rival;
    Interval const interval = bootstrap_median(
        ratios, derive_seed(results.seed, rival.workload + rival.metric + rival.peer, 1),
        k_resamples);
    rival.ci_low = interval.low;
    rival.ci_high = interval.high;
    return rival;
}

std::string label_of(WorkloadRecord const& workload, Metric const& metric) {
    return workload.kind == Kind::compute || workload.kind == Kind::latency
               ? workload.name
               : workload.name + ", " + metric.name;
}

GridPlace place_of(Rival const& rival) {
    int const decimals = decimals_for(rival.ratio);
    GridPlace place;
    place.value = fmt::format("{:.{}f}", rival.ratio, decimals);
    if (rival.ci_low && rival.ci_high)
        place.interval =
            fmt::format("[{:.{}f}, {:.{}f}]", *rival.ci_low, decimals, *rival.ci_high, decimals);
    return place;
}

/// Every metric of every workload, once.
template <typename F>
void each_metric(Results const& results, F const& function) {
    for (WorkloadRecord const& workload : results.workloads) {
        if (workload.kind == Kind::neighbour) continue; // not whose time is shorter
        bool const shared = clocks_are_shared(results.samples, workload.name);
        for (Metric const& metric : metrics_of(workload.kind, workload.ops, shared))
            if (metric.deciding) function(workload, metric);
    }
}

} // namespace

std::vector<Rival> rivals_of(Results const& results) {
    std::vector<Rival> rivals;
    for (EngineRecord const& ours : results.engines) {
        if (!is_ours(ours)) continue;
        for (EngineRecord const* const peer : peers_of(results, ours))
            each_metric(results, [&](WorkloadRecord const& workload, Metric const& metric) {
                Rival rival;
                rival.ours = ours.name;
                rival.peer = peer->name;
                if (auto found = compare(results, workload, metric, std::move(rival)))
                    rivals.push_back(std::move(*found));
            });
    }
    return rivals;
}

std::string render_rivals(Results const& results, TableStyle const& style) {
    std::vector<Rival> const rivals = rivals_of(results);
    std::string out;
    for (EngineRecord const& ours : results.engines) {
        auto const peers = peers_of(results, ours);
        if (!is_ours(ours) || peers.empty()) continue;
        Grid grid;
        for (EngineRecord const* const peer : peers)
            grid.columns.push_back({peer->name, peer->backend});
        each_metric(results, [&](WorkloadRecord const& workload, Metric const& metric) {
            GridLine line;
            line.label = label_of(workload, metric);
            bool any = false;
            for (EngineRecord const* const peer : peers) {
                auto const found =
                    std::find_if(rivals.begin(), rivals.end(), [&](Rival const& rival) {
                        return rival.ours == ours.name && rival.peer == peer->name &&
                               rival.workload == workload.name && rival.metric == metric.name;
                    });
                bool const there = found != rivals.end();
                any = any || there;
                line.places.push_back(there ? place_of(*found)
                                            : GridPlace{style.dash(), {}, false});
                if (there) line.n = fmt::format("{}", found->n);
            }
            if (any) grid.lines.push_back(std::move(line));
        });
        if (grid.lines.empty()) continue;
        out += style.bold(fmt::format("{} beside its peers in {}: their time divided by {}'s",
                                      ours.name, ours.technique, ours.name)) +
               "\n" + render_grid(grid, style) + "\n";
    }
    if (!out.empty())
        out +=
            wrap("Above 1: ours is faster. Each block ran both; [low, high] is the 95 % bootstrap "
                 "interval of the median ratio. What a peer isolates, and what not: isobench "
                 "peers.",
                 style.width);
    return out;
}

} // namespace iso::bench
