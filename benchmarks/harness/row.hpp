#pragma once

#include "benchmarks/harness/compare_options.hpp"
#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/results.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace iso::bench {

/// Whether one arm's samples of one workload count; the first thing that went wrong stays.
struct Verdict {
    Status status = Status::ok;
    std::string reason;
    bool identity_proved = false;

    [[nodiscard]] bool good() const { return status == Status::ok; }
};

/// One workload of a comparison while it is being measured.
struct Row {
    WorkloadRecord record;
    Workload const* known = nullptr;                ///< nullptr: a program of the user's
    std::vector<Verdict> verdicts;                  ///< one for each arm
    std::map<std::uint64_t, std::string> checksums; ///< by number of operations: what native found
    std::optional<int> exit_status; ///< of a foreign program: what native ended with
    std::uint64_t fixed_ns = 0; ///< of one block: what does not depend on ops, all arms together
    std::uint64_t loop_ns = 0;  ///< of one block: what does
    bool done = false;

    [[nodiscard]] bool own() const { return known != nullptr; }
    /// Whether every block holds a run without the loop, to be subtracted.
    [[nodiscard]] bool subtracts() const { return record.kind == Kind::compute; }
    /// Whether every block holds two runs of each arm: a baseline, and what is compared with it.
    [[nodiscard]] bool pairs() const { return subtracts() || beside(); }
    [[nodiscard]] bool beside() const { return record.kind == Kind::neighbour; }
    [[nodiscard]] unsigned blocks_per_round() const { return own() ? known->blocks_per_round : 1; }
    [[nodiscard]] std::uint64_t block_ns() const { return fixed_ns + loop_ns; }
    /// The arms that are still worth running.
    [[nodiscard]] std::vector<std::size_t> live_arms() const;
    /// Takes an arm out; native takes the whole row with it, as there is nothing to compare with.
    void condemn(std::size_t arm, Status status, std::string const& reason);
};

/// Errors: a name that is no workload, no group and not "all".
Result<void> check_workload_names(std::vector<std::string> const& names);

/// The rows that were asked for, each with its file found, checked and hashed.
/// Errors: an unknown workload, one that is not built, a program that is no static ELF.
Result<std::vector<Row>> plan_rows(CompareOptions const& options, Lineup const& lineup);

} // namespace iso::bench
