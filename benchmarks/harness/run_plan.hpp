#pragma once

#include "benchmarks/harness/journal.hpp"
#include "benchmarks/harness/lineup.hpp"

#include <nlohmann/json_fwd.hpp>

namespace iso::bench {

/// What this run is: the machine, the engines and the workloads as they are now, with their hashes.
/// The CPU of the samples is for the caller to add.
RunPlan make_plan(CompareOptions const& options, Lineup const& lineup,
                  std::vector<WorkloadRecord> workloads);

/// The part that begins now.
PartRecord part_now(Environment const& environment);

/// The columns of a lineup; each with its program's hash.
std::vector<EngineRecord> engine_records(Lineup const& lineup);

nlohmann::json plan_to_json(RunPlan const& plan);
/// Throws nlohmann's exceptions.
RunPlan plan_from_json(nlohmann::json const& in);

/// The options of the run that goes on. Errors (exit status 2): one that was given now is another
/// than then.
Result<CompareOptions> resumed_options(CompareOptions const& then, CompareOptions const& asked);

/// Errors (exit status 2): something differs that a number depends on; all of it is named.
Result<void> check_same_run(RunPlan const& then, RunPlan const& now, std::string const& path);

} // namespace iso::bench
