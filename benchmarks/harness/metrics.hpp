#pragma once

#include "benchmarks/harness/results.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace iso::bench {

/// The samples that one arm took in one block of one workload.
struct BlockSamples {
    Sample const* measure = nullptr;
    Sample const* baseline = nullptr;
};

/// One way to turn a block into a number.
struct Metric {
    std::string name;
    std::string unit;
    Comparison comparison = Comparison::ratio;
    bool deciding = true;
    /// Nothing when the samples do not say it.
    std::function<std::optional<double>(BlockSamples const&)> value;
    /// Whether the block was left alone by its neighbours; empty: it does not matter here.
    std::function<bool(BlockSamples const&)> quiet = {};
};

/// The metrics of a workload. `shared_clock`: in every arm the program's CLOCK_MONOTONIC is the
/// host's, so that its entry time can be compared with ours; else the first output byte stands in.
std::vector<Metric> metrics_of(Kind kind, std::uint64_t ops, bool shared_clock);

/// Whether the entry time of every sample lies between its spawn and its end.
bool clocks_are_shared(std::span<Sample const> samples, std::string_view workload);

/// A loop that was off the processor for more of its time than this was kept from it by others.
inline constexpr double k_off_cpu_share = 0.08;

/// What one emulated guest instruction costs on KVM's PVM backend, nanoseconds: 0.30 to 0.45 for
/// those without a memory operand, measured on the reference machine. Used to estimate a share.
inline constexpr double k_emulated_instruction_ns = 350;
/// From this share of the CPU time on a number is about the emulation, not about the technique.
inline constexpr double k_emulation_matters = 0.02;

/// Counters of the loop alone, per operation: median over the measured samples minus that over the
/// baselines. For a workload without operations: per run.
std::map<std::string, double> counters_per_op(std::vector<BlockSamples> const& blocks,
                                              std::vector<Sample const*> const& baselines,
                                              std::uint64_t ops);

} // namespace iso::bench
