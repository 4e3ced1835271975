#pragma once

#include "benchmarks/gate/gate_options.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/results.hpp"
#include "common/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace iso::bench::validation {

/// The times of one run of a block, in microseconds: CPU time is not accounted finer
/// (getrusage(2)).
struct Times {
    std::uint64_t cpu = 0;
    std::uint64_t wall = 0;
    std::uint64_t start_cpu = 0; ///< of the run without the loop, which is subtracted
    std::uint64_t start_wall = 0;
};

/// One block of a gate's run: base, base again, head.
using PoolBlock = std::array<Times, 3>;

/// Blocks of one cell that were measured one after the other without a stop, as a gate measures
/// them. Windows of it are what a gate could have seen.
struct Pool {
    std::string workload;
    std::string engine;
    std::uint64_t ops = 0;
    double inject = 0; ///< head did this share of operations more
    std::string noted; ///< when, and what the machine was doing
    std::vector<PoolBlock> blocks;
};

/// What to measure: one workload in one engine of one tree, against itself.
struct Subject {
    std::string tree; ///< the folder that holds bin/ and workloads/
    std::string workload = "cpu-int";
    std::string engine = "isolate";
};

/// Measures so many blocks without ever stopping. Errors: the harness's; a block that failed.
Result<Pool> measure_pool(Subject const& subject, double inject, std::uint64_t blocks,
                          Interrupts& interrupts);

/// JSON lines: a head that says what it is, then a line for each block.
std::string to_text(Pool const& pool);
Result<Pool> parse_pool(std::string const& text);
Result<Pool> read_pool(std::string const& path);

/// What a gate would hold after the blocks [first, first + count) of the pool. `roles`: which of
/// the three runs stands for base, base again and head.
std::vector<Sample> samples_of(Pool const& pool, std::size_t first, std::size_t count,
                               std::array<std::size_t, 3> const& roles);
WorkloadRecord record_of(Pool const& pool, std::size_t blocks);

} // namespace iso::bench::validation
