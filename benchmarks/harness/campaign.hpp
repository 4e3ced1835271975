#pragma once

#include "benchmarks/harness/host_counters.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/progress.hpp"
#include "benchmarks/harness/row.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace iso::bench {

/// Takes the samples of a comparison: proof of identity, warm-up, then rounds of one block for
/// every workload until each has enough, or the time is over.
class Campaign {
public:
    Campaign(CompareOptions const& options, Lineup const& lineup, std::vector<Row> rows,
             std::optional<int> cpu, Interrupts& interrupts, Progress& progress);

    /// Whether a workload has been measured enough, instead of the rule of comparisons. Asked from
    /// the tenth round on. It must not look at who is faster.
    using StopRule = std::function<bool(Row const& row, std::vector<Sample> const& samples)>;
    void stop_when(StopRule rule) { stop_rule_ = std::move(rule); }

    /// Runs it all. Errors: the harness's own. An interruption is not an error: see interrupted().
    Result<void> run();

    [[nodiscard]] bool interrupted() { return interrupts_.pending() != 0; }
    /// What was asked to be counted and is not, each with the reason.
    [[nodiscard]] std::vector<std::string> not_counted() const {
        return counters_ ? counters_->missing() : std::vector<std::string>();
    }
    [[nodiscard]] std::vector<Row> const& rows() const { return rows_; }
    [[nodiscard]] std::vector<Sample>& samples() { return samples_; }
    [[nodiscard]] std::uint64_t elapsed_ns() const;

private:
    Result<void> prove_identity(Row& row);
    Result<void> warm_up(Row& row);
    Result<void> fit_to_budget();
    Result<void> measure_block(Row& row);
    Result<void> measure_round();
    /// One sample, judged against what native found. Returns its wall time; 0 when it failed.
    Result<std::uint64_t> take(Row& row, std::size_t arm, Role role, std::uint64_t order);

    [[nodiscard]] bool enough(Row& row) const;
    [[nodiscard]] bool out_of_time(Row const& row) const;
    [[nodiscard]] std::uint64_t block_cap(Row const& row) const;
    [[nodiscard]] std::uint64_t time_left() const;
    void show_progress(std::string const& what);

    CompareOptions const& options_;
    Lineup const& lineup_;
    std::vector<Row> rows_;
    std::optional<int> cpu_;
    Interrupts& interrupts_;
    Progress& progress_;
    std::vector<Sample> samples_;
    StopRule stop_rule_;
    std::optional<HostCounters> counters_;
    std::uint64_t started_ns_;
    std::uint64_t deadline_ns_;
};

} // namespace iso::bench
