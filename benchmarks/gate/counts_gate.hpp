#pragma once

#include "benchmarks/gate/interleaved.hpp"

namespace iso::bench {

/// Runs base, base again and head a few times each and counts. Where a counter of the program or
/// of the engine is higher (or lower) in every run of head than in any of base, ten blocks have to
/// say so.
Result<Compared> measure_counts(GateOptions const& options, Side const& base,
                                GateLineup const& lineup, Interrupts& interrupts,
                                Progress& progress);

/// A regression is a counter that is higher in every run of head than in every run of base. One
/// entry for each workload and engine.
Judgement judge_counts_of_run(Results const& results, std::vector<std::string> const& engines);

/// The same of two files. Errors: as family_of_files().
Result<Judgement> judge_counts_of_files(Results const& base, Results const& head,
                                        std::vector<std::string> const& engines,
                                        std::vector<std::string> const& workloads);

} // namespace iso::bench
