#include "benchmarks/harness/comparison.hpp"

#include "benchmarks/harness/cells.hpp"
#include "benchmarks/harness/decomposition.hpp"
#include "benchmarks/harness/identity.hpp"
#include "benchmarks/harness/review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sched.h>

namespace iso::bench {

namespace {

std::vector<EngineRecord> engine_records(Lineup const& lineup) {
    std::vector<EngineRecord> records;
    for (Arm const& arm : lineup.arms)
        records.push_back({arm.name, std::string(arm.engine->technique()), arm.probe.backend,
                           arm.probe.usable, arm.control, arm.probe.reason, arm.probe.next_step,
                           arm.engine->peer()});
    return records;
}

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
                         Interrupts& interrupts, Progress& progress, Campaign::StopRule stop_rule) {
    TRY(require(options, lineup));
    auto rows = TRY(plan_rows(options, lineup));
    Compared compared;
    Results& results = compared.results;
    results.environment = Environment::capture();
    results.mode = options.quick ? "quick" : "full";
    results.seed = options.seed;
    results.counts = options.counts;
    results.time_budget_ns = options.budget_ns();
    results.engines = engine_records(lineup);

    results.cpu = Placement::choose(options.pin).sample_cpu;
    Campaign campaign(options, lineup, std::move(rows), results.cpu, interrupts, progress);
    if (stop_rule) campaign.stop_when(std::move(stop_rule));
    TRY(campaign.run());
    compared.interrupted = campaign.interrupted();
    if (compared.interrupted) return compared;

    std::vector<Row> measured = campaign.rows();
    void_changed_files(measured);
    for (Row const& row : measured) {
        results.workloads.push_back(row.record);
        auto cells = make_cells({row, lineup.arms, campaign.samples(), options.seed});
        results.cells.insert(results.cells.end(), cells.begin(), cells.end());
    }
    if (options.explain && !options.counts) explain(results, options, progress);
    results.elapsed_ns = campaign.elapsed_ns();
    results.samples = std::move(campaign.samples());
    for (std::string const& missing : campaign.not_counted())
        results.warnings.push_back("not counted here: " + missing);
    if (!results.counts) review(results);
    return compared;
}

} // namespace iso::bench
