#include "benchmarks/harness/metrics.hpp"

#include "benchmarks/harness/crowd.hpp"
#include "benchmarks/statistics/median.hpp"

#include <fmt/format.h>

namespace iso::bench {

namespace {

double as_double(std::uint64_t value) {
    return static_cast<double>(value);
}

std::optional<double> positive(double value) {
    if (value > 0) return value;
    return {};
}

/// CPU time of the loop alone, per operation.
std::optional<double> loop_cpu(BlockSamples const& block, std::uint64_t ops) {
    if (block.measure == nullptr || block.baseline == nullptr || ops == 0) return {};
    return positive((as_double(block.measure->cpu_ns()) - as_double(block.baseline->cpu_ns())) /
                    as_double(ops));
}

/// Wall time of the loop alone, per operation, from outside.
std::optional<double> loop_wall(BlockSamples const& block, std::uint64_t ops) {
    if (block.measure == nullptr || block.baseline == nullptr || ops == 0) return {};
    return positive((as_double(block.measure->wall_ns) - as_double(block.baseline->wall_ns)) /
                    as_double(ops));
}

bool loop_was_on_cpu(BlockSamples const& block) {
    auto const cpu = loop_cpu(block, 1);
    auto const wall = loop_wall(block, 1);
    return cpu && wall && *cpu >= (1 - k_off_cpu_share) * *wall;
}

std::optional<double> own_time(BlockSamples const& block) {
    if (block.measure == nullptr || !block.measure->own || block.measure->own->ops == 0) return {};
    return positive(as_double(block.measure->own->ns) / as_double(block.measure->own->ops));
}

std::optional<double> until_entry(BlockSamples const& block) {
    if (block.measure == nullptr || !block.measure->own) return {};
    return (as_double(block.measure->own->entry_ns) - as_double(block.measure->at_ns)) / 1e6;
}

std::optional<double> until_output(BlockSamples const& block) {
    if (block.measure == nullptr || !block.measure->first_output_ns) return {};
    return as_double(*block.measure->first_output_ns - block.measure->at_ns) / 1e6;
}

std::optional<double> until_exit(BlockSamples const& block) {
    if (block.measure == nullptr) return {};
    return as_double(block.measure->wall_ns) / 1e6;
}

std::optional<double> whole_cpu(BlockSamples const& block) {
    if (block.measure == nullptr) return {};
    return positive(as_double(block.measure->cpu_ns()) / 1e6);
}

/// How much longer an operation takes beside the neighbour than alone.
std::optional<double> slowdown(BlockSamples const& block) {
    auto const beside = own_time(block);
    auto const alone = own_time({block.baseline, nullptr});
    if (!beside || !alone) return {};
    return *beside / *alone;
}

double median_counter(std::vector<Sample const*> const& samples, std::string const& name) {
    std::vector<double> values;
    for (Sample const* const sample : samples) {
        auto const found = sample->counters.find(name);
        values.push_back(found == sample->counters.end() ? 0 : as_double(found->second));
    }
    return values.empty() ? 0 : median(std::move(values));
}

/// What a crowd counted (crowd.hpp), in units of `unit`.
std::optional<double> counted(BlockSamples const& block, std::string const& name, double unit) {
    if (block.measure == nullptr) return {};
    auto const found = block.measure->counters.find("density." + name);
    if (found == block.measure->counters.end()) return {};
    return as_double(found->second) / unit;
}

std::vector<Metric> density_metrics() {
    auto const added = Comparison::added;
    std::vector<Metric> metrics{
        {"private-memory", "KiB", added, true,
         [](BlockSamples const& b) { return counted(b, "private_bytes", 1024); }},
        {"pss", "KiB", added, true,
         [](BlockSamples const& b) { return counted(b, "pss_bytes", 1024); }}};
    for (unsigned const level : k_crowd_levels)
        metrics.push_back({fmt::format("start-of-{}", level), "ms", added, true,
                           [name = fmt::format("start_{}_ns", level)](BlockSamples const& b) {
                               return counted(b, name, 1e6);
                           }});
    return metrics;
}

} // namespace

std::vector<Metric> metrics_of(Kind kind, std::uint64_t ops, bool shared_clock) {
    auto const ratio = Comparison::ratio;
    auto const added = Comparison::added;
    switch (kind) {
    case Kind::compute:
        return {{"cpu-time", "ns/op", ratio, true,
                 [ops](BlockSamples const& b) { return loop_cpu(b, ops); }},
                {"wall-time", "ns/op", ratio, false,
                 [ops](BlockSamples const& b) { return loop_wall(b, ops); }, loop_was_on_cpu},
                {"own-time", "ns/op", ratio, false, own_time}};
    case Kind::latency:
        return {{"own-time", "ns/op", ratio, true, own_time}};
    case Kind::start_up:
        return {shared_clock ? Metric{"start-up", "ms", added, true, until_entry}
                             : Metric{"first-output", "ms", added, true, until_output},
                {"start-to-exit", "ms", added, true, until_exit},
                {"cpu-time", "ms", added, false, whole_cpu}};
    case Kind::density:
        return density_metrics();
    case Kind::neighbour:
        return {{"slowdown", "x", Comparison::alone, true, slowdown}};
    case Kind::program:
        return {{"start-to-exit", "ms", added, true, until_exit},
                {"cpu-time", "ms", ratio, true, whole_cpu}};
    }
    return {};
}

bool clocks_are_shared(std::span<Sample const> samples, std::string_view workload) {
    for (Sample const& sample : samples) {
        if (sample.workload != workload || sample.role == Role::identity || !sample.own) continue;
        std::uint64_t const entry = sample.own->entry_ns;
        if (entry < sample.at_ns || entry > sample.at_ns + sample.wall_ns) return false;
    }
    return true;
}

std::map<std::string, double> counters_per_op(std::vector<BlockSamples> const& blocks,
                                              std::vector<Sample const*> const& baselines,
                                              std::uint64_t ops) {
    std::vector<Sample const*> measured;
    for (BlockSamples const& block : blocks)
        if (block.measure != nullptr) measured.push_back(block.measure);
    std::map<std::string, double> result;
    if (measured.empty()) return result;
    for (auto const& [name, ignored] : measured.front()->counters) {
        if (name.starts_with("harness.max_") || name.starts_with("host.max_")) continue; // no sums
        double const whole = median_counter(measured, name);
        double const loop = ops == 0 ? whole : whole - median_counter(baselines, name);
        result[name] = ops == 0 ? loop : loop / as_double(ops);
    }
    return result;
}

} // namespace iso::bench
