#pragma once

#include "benchmarks/gate/judge.hpp"
#include "benchmarks/harness/compare_options.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// What `isobench gate` was asked for.
struct GateOptions {
    std::string base;
    std::string head;
    GateRule rule;
    CompareOptions compare;      ///< of what is measured: engines, workloads, seed, budget, ...
    std::uint64_t blocks = 120;  ///< at most
    bool counts = false;         ///< judge exact counts instead of times
    double inject = 0;           ///< head does this share of operations more
    std::string build_directory; ///< where revisions are built and kept; empty: removed again
    std::string format = "table";
    std::string output;               ///< instead of stdout
    std::vector<std::string> reports; ///< also to these files, in the format of their ending
};

} // namespace iso::bench
