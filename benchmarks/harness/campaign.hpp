#pragma once

#include "benchmarks/harness/host_counters.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/journal.hpp"
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

    /// What follows belongs to this part, and goes into the journal, if there is one. When samples
    /// are in it, it goes on from there: the schedule depends on nothing but the seed, the workload
    /// and the number of the block. A block that was not finished is run again as a whole: what it
    /// compares was meant to happen within moments.
    Result<void> begin_part(PartRecord part, Journal* journal);

    /// Runs it all. Errors: the harness's own. An interruption is not an error: see interrupted().
    Result<void> run();

    /// What the machine did besides, and what the harness itself took, belong to the part.
    void end_part(Conditions seen);

    [[nodiscard]] bool interrupted() { return interrupts_.pending() != 0; }
    /// What was asked to be counted and is not, each with the reason.
    [[nodiscard]] std::vector<std::string> not_counted() const {
        return counters_ ? counters_->missing() : std::vector<std::string>();
    }
    [[nodiscard]] std::vector<Row> const& rows() const { return rows_; }
    [[nodiscard]] std::vector<Sample>& samples() { return samples_; }
    [[nodiscard]] std::vector<PartRecord> const& parts() const { return parts_; }
    [[nodiscard]] std::uint64_t elapsed_ns() const;

private:
    Result<void> prove_identity(Row& row);
    Result<void> warm_up(Row& row);
    Result<void> fit_to_budget();
    Result<void> measure_block(Row& row);
    Result<void> measure_round();
    void go_on_from(Recorded const& recorded);
    Result<void> stop(Row& row, std::string reason);
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
    std::vector<PartRecord> parts_;
    Journal* journal_ = nullptr;
    bool operations_fixed_ = false; ///< by an earlier part
    std::uint64_t block_ = 0;       ///< that is being measured; 0: outside of the blocks
    bool cut_ = false;              ///< the last sample was not finished
    StopRule stop_rule_;
    std::optional<HostCounters> counters_;
    std::uint64_t part_began_ns_ = 0;
    std::uint64_t part_began_cpu_ns_ = 0;
    std::uint64_t started_ns_;
    std::uint64_t deadline_ns_;
};

} // namespace iso::bench
