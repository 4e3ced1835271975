#pragma once

#include "benchmarks/harness/compare_options.hpp"
#include "common/result.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// Where the engines and the workloads are.
struct Places {
    std::string engines;
    std::string workloads;
    std::string peers;
};

/// `isobench run`: one sample, told in full.
struct RunVerbOptions {
    std::string engine;
    std::string program; ///< a workload's name, or a path
    std::vector<std::string> arguments;
    std::uint64_t timeout_ns = 0;
    bool json = false;
    bool pin = false;
};

/// `isobench peers`.
struct PeersVerbOptions {
    bool json = false;
    std::string packages; ///< "all", or names with commas: only what is to be installed for them
};

// Each verb returns the program's exit status; an error is printed by main().
Result<int> verb_probe(Places const& places, bool json);
Result<int> verb_list(Places const& places, bool json, bool markdown);
Result<int> verb_peers(Places const& places, PeersVerbOptions const& options);
Result<int> verb_run(Places const& places, RunVerbOptions const& options);
Result<int> verb_compare(CompareOptions const& options);

} // namespace iso::bench
