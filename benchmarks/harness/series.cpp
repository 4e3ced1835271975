#include "benchmarks/harness/series.hpp"

#include <algorithm>

namespace iso::bench {

ArmSamples collect(std::span<Sample const> samples, WorkloadRecord const& workload,
                   std::string const& arm) {
    ArmSamples found;
    found.blocks.resize(workload.blocks + 1);
    for (Sample const& sample : samples) {
        if (sample.workload != workload.name || sample.arm != arm || !sample.good()) continue;
        if (sample.block >= found.blocks.size()) continue; // read_results() refuses such a file
        if (sample.role == Role::measure) found.blocks[sample.block].measure = &sample;
        if (sample.role != Role::baseline) continue;
        found.baselines.push_back(&sample);
        if (sample.block != 0) found.blocks[sample.block].baseline = &sample;
    }
    return found;
}

std::vector<std::pair<double, double>> paired_values(Metric const& metric, ArmSamples const& first,
                                                     ArmSamples const& second) {
    std::vector<std::pair<double, double>> all;
    std::vector<std::pair<double, double>> quiet;
    for (std::size_t i = 0; i < std::min(first.blocks.size(), second.blocks.size()); ++i) {
        auto const a = metric.value(first.blocks[i]);
        auto const b = metric.value(second.blocks[i]);
        if (!a || !b) continue;
        all.emplace_back(*a, *b);
        if (metric.quiet && metric.quiet(first.blocks[i]) && metric.quiet(second.blocks[i]))
            quiet.emplace_back(*a, *b);
    }
    return metric.quiet && 2 * quiet.size() >= all.size() ? quiet : all;
}

} // namespace iso::bench
