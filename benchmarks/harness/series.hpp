#pragma once

#include "benchmarks/harness/metrics.hpp"

#include <span>
#include <utility>
#include <vector>

namespace iso::bench {

/// What one arm took of one workload, by block; block 0 is the warm-up's and never a result.
struct ArmSamples {
    std::vector<BlockSamples> blocks;
    std::vector<Sample const*> baselines;
};

/// The samples that count, out of those of all workloads and arms.
ArmSamples collect(std::span<Sample const> samples, WorkloadRecord const& workload,
                   std::string const& arm);

/// A metric's values of two arms in the blocks where both have one. Where the metric knows quiet
/// blocks, only those that were quiet in both arms, unless that leaves less than half of them: then
/// what keeps an arm off the processor is the engine's own doing, and belongs to its number.
std::vector<std::pair<double, double>> paired_values(Metric const& metric, ArmSamples const& first,
                                                     ArmSamples const& second);

} // namespace iso::bench
