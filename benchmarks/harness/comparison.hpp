#pragma once

#include "benchmarks/harness/campaign.hpp"
#include "benchmarks/harness/compare_options.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/progress.hpp"
#include "benchmarks/harness/results.hpp"

namespace iso::bench {

/// Where samples run, and where the harness does: on another CPU, so that it does not disturb.
struct Placement {
    std::optional<int> sample_cpu;
    /// The last allowed CPU for the samples, the rest for this process. Nothing with one CPU.
    static Placement choose(bool pin);
};

/// A comparison from its options to its results.
/// `journal`: where the samples go at once; one with samples in it goes on.
/// Errors: bad input (exit status 2) or the harness's own failure (1).
struct Compared {
    Results results; ///< when interrupted: of the blocks that were complete
    bool interrupted = false;
};
Result<Compared> compare(CompareOptions const& options, Lineup const& lineup,
                         Interrupts& interrupts, Progress& progress,
                         Campaign::StopRule stop_rule = {}, Journal* journal = nullptr);

} // namespace iso::bench
