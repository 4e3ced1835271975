#pragma once

#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/validation/pool.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::bench::validation {

/// So many gate runs in which head does this share of operations more.
struct Planned {
    double inject = 0;
    std::uint64_t runs = 0;
};

struct LiveOptions {
    Subject subject;
    std::string isobench; ///< the program that is tried, as users call it
    bool counts = false;  ///< gate --counts
    std::vector<Planned> plan;
    std::string file; ///< a line of JSON is appended for each run
    std::uint64_t stop_after_ns = 0;
};

/// What one run ended with.
struct LiveRun {
    bool counts = false;
    std::string engine;
    std::string workload;
    double inject = 0;
    std::uint64_t seed = 0;
    int exit_status = 0;
    std::string outcome;
    std::string reason;
    std::uint64_t n = 0; ///< blocks
};

/// Runs `isobench gate` again and again until the file holds what was planned, or the time is over,
/// or somebody interrupts; the file is complete after every run, so that it can be continued.
Result<void> run_live(LiveOptions const& options, Interrupts& interrupts);

/// Errors: a line that is none of ours. A file that is not there holds no runs.
Result<std::vector<LiveRun>> read_live(std::string const& path);

/// What is to be run next, with the kinds taking turns by how much of each is missing; nothing when
/// all is done. `done` in the order of the plan.
std::size_t next_of(std::vector<Planned> const& plan, std::vector<std::uint64_t> const& done);

} // namespace iso::bench::validation
