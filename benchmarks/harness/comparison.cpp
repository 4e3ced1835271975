#include "benchmarks/harness/comparison.hpp"

#include "benchmarks/harness/cells.hpp"
#include "benchmarks/harness/decomposition.hpp"
#include "benchmarks/harness/identity.hpp"
#include "benchmarks/harness/review.hpp"
#include "benchmarks/harness/run_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sched.h>

namespace iso::bench {

namespace {

// From here on a reader should know of it.
constexpr double k_much_stolen = 0.01;
constexpr double k_much_pressure = 0.2; // the samples themselves wait now and then

/// A file that changed while it was measured is not one workload but two.
void void_changed_files(std::vector<Row>& rows) {
    for (Row& row : rows) {
        auto const now = identify(row.record.path);
        if (now && now->file_sha256 == row.record.sha256) continue;
        row.condemn(0, Status::void_, "the file changed while it was being measured");
    }
}

Result<void> require(CompareOptions const& options, Lineup const& lineup) {
    for (std::string const& name : options.required) {
        auto const found = std::find_if(lineup.arms.begin(), lineup.arms.end(),
                                        [&](Arm const& arm) { return arm.name == name; });
        if (found == lineup.arms.end()) {
            std::vector<std::string> known;
            for (auto const& engine : lineup.engines)
                known.emplace_back(engine->name());
            return tl::unexpected<Error>(unknown_name("--require", name, known));
        }
        if (found->probe.usable) continue;
        Error problem{"--require=" + name, "cannot run here: " + found->probe.reason,
                      found->probe.next_step};
        problem.exit_status = exit_code::no;
        return tl::unexpected<Error>(std::move(problem));
    }
    return {};
}

/// Counts times unit costs; without unit costs the counts stand alone, and a note says why.
void explain(Results& results, CompareOptions const& options, Progress& progress) {
    progress.note("measuring unit costs");
    if (auto costs = measure_unit_costs(options.engine_directory, results.cpu))
        results.unit_costs = std::move(*costs);
    else
        results.warnings.push_back("the counts are not turned into times: " +
                                   costs.error().message());
    results.decompositions = decompose(results);
}

/// Counts samples by their part, and says so when there is more than one.
void describe_parts(Results& results) {
    std::uint64_t unused = 0;
    for (Sample const& sample : results.samples) {
        PartRecord& part = results.parts[sample.part - 1];
        ++part.samples;
        part.unused += sample.unused.empty() ? 0 : 1;
        unused += sample.unused.empty() ? 0 : 1;
    }
    if (results.parts.size() < 2) return;
    std::vector<std::string> when;
    for (PartRecord const& part : results.parts)
        when.push_back(fmt::format("{} ({} samples)", part.date, part.samples));
    results.warnings.push_back(
        fmt::format("it was interrupted and went on, in {} parts that began {}; no block is from "
                    "two of them: {} samples of unfinished blocks were taken again and are not "
                    "used",
                    results.parts.size(), fmt::join(when, ", "), unused));
}

/// What the machine did besides, and what to do about it.
void describe_conditions(Results& results, Conditions const& seen) {
    if (seen.steal.value_or(0) > k_much_stolen)
        results.warnings.push_back(fmt::format(
            "while it was measured the hypervisor above gave {:.1f} % of the CPUs' time to others: "
            "believe CPU time before wall time, and measure again when it is calmer",
            100 * *seen.steal));
    for (auto const& [what, much] :
         {std::pair{"cpu", "for a CPU"}, {"memory", "for memory"}, {"io", "for a disk"}})
        if (auto const found = seen.pressure.find(what);
            found != seen.pressure.end() && found->second > k_much_pressure)
            results.warnings.push_back(fmt::format(
                "in {:.0f} % of the time in which it was measured some task waited {}: something "
                "else runs here; end it, or measure when it has ended",
                100 * found->second, much));
}

/// The cells, and everything that is said about them.
void conclude(Results& results, Campaign& campaign, CompareOptions const& options,
              Lineup const& lineup) {
    std::vector<Row> measured = campaign.rows();
    void_changed_files(measured);
    for (Row& row : measured) {
        if (!row.done) row.record.stopped_because = k_stopped_by_interruption;
        results.workloads.push_back(row.record);
        auto cells = make_cells({row, lineup.arms, campaign.samples(), options.seed});
        results.cells.insert(results.cells.end(), cells.begin(), cells.end());
    }
    results.elapsed_ns = campaign.elapsed_ns();
    results.samples = std::move(campaign.samples());
    results.parts = campaign.parts();
    describe_parts(results);
    if (auto const& seen = results.parts.back().conditions) describe_conditions(results, *seen);
    for (std::string const& missing : campaign.not_counted())
        results.warnings.push_back("not counted here: " + missing);
}

} // namespace

Placement Placement::choose(bool pin) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (!pin || ::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
        return {};
    unsigned last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &allowed))
        --last;
    CPU_CLR(last, &allowed);
    if (::sched_setaffinity(0, sizeof allowed, &allowed) != 0) return {};
    return {static_cast<int>(last)};
}

Result<Compared> compare(CompareOptions const& options, Lineup const& lineup,
                         Interrupts& interrupts, Progress& progress, Campaign::StopRule stop_rule,
                         Journal* journal) {
    TRY(require(options, lineup));
    auto rows = TRY(plan_rows(options, lineup));
    std::vector<WorkloadRecord> workloads;
    for (Row const& row : rows)
        workloads.push_back(row.record);
    RunPlan now = make_plan(options, lineup, std::move(workloads)); // before it moves to other CPUs
    now.cpu = Placement::choose(options.pin).sample_cpu;
    bool const resumed = journal != nullptr && !journal->recorded().parts.empty();
    if (resumed) TRY(check_same_run(journal->plan(), now, options.resume));
    if (journal != nullptr && !resumed) TRY(journal->write(now));

    Compared compared;
    Results& results = compared.results;
    results.environment = resumed ? journal->plan().environment : now.environment;
    results.mode = options.quick ? "quick" : "full";
    results.seed = options.seed;
    results.counts = options.counts;
    results.time_budget_ns = options.budget_ns();
    results.engines = now.engines;
    results.cpu = now.cpu;

    Campaign campaign(options, lineup, std::move(rows), now.cpu, interrupts, progress);
    if (stop_rule) campaign.stop_when(std::move(stop_rule));
    TRY(campaign.begin_part(part_now(now.environment), journal));
    ConditionMeter const meter;
    TRY(campaign.run());
    campaign.end_part(meter.so_far());
    compared.interrupted = campaign.interrupted();
    conclude(results, campaign, options, lineup);
    if (!compared.interrupted && options.explain && !options.counts)
        explain(results, options, progress);
    if (!results.counts) review(results);
    return compared;
}

} // namespace iso::bench
