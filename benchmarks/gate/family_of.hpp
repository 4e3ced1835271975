#pragma once

#include "benchmarks/gate/judge.hpp"
#include "benchmarks/harness/results.hpp"
#include "common/result.hpp"

#include <span>
#include <string>
#include <vector>

namespace iso::bench {

/// The three columns that a gate's run has for each engine.
std::string base_arm(std::string const& engine);
std::string control_arm(std::string const& engine);
std::string head_arm(std::string const& engine);

struct Family {
    std::vector<GateCell> cells;
    std::vector<std::string> notes;
};

/// The members of the family out of one run that holds base, its twin and head in every block.
/// `engines`: those that the run compared.
Family family_of_run(Results const& results, std::vector<std::string> const& engines);

/// One workload of it, while it is being measured.
std::vector<GateCell> cells_of_run(std::span<Sample const> samples, WorkloadRecord const& workload,
                                   std::vector<std::string> const& engines);

/// The members of the family out of two files: every cell that the one or the other has and that
/// `engines` and `workloads` (none: all) name. A cell is judged only when both files hold the same
/// bytes, arguments and backend.
/// Errors (exit status 2): files of different machines.
Result<Family> family_of_files(Results const& base, Results const& head,
                               std::vector<std::string> const& engines,
                               std::vector<std::string> const& workloads);

} // namespace iso::bench
