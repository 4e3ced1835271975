#include "benchmarks/gate/counts_gate.hpp"

#include "benchmarks/harness/counts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_first_blocks = 3;
constexpr std::uint64_t k_most_blocks = 10;

using Counts = std::map<std::string, Count>;

Count merged(Count const& a, Count const& b) {
    if (a.n == 0) return b;
    if (b.n == 0) return a;
    return {std::min(a.low, b.low), std::max(a.high, b.high), a.n + b.n};
}

Count find(Counts const& counts, std::string const& name, std::size_t runs) {
    auto const found = counts.find(name);
    return found == counts.end() ? Count{0, 0, runs} : found->second;
}

/// Counters of the guest's doing that stand apart in all runs: (name, base, head).
struct Apart {
    std::string name;
    Count base;
    Count head;
};

/// Of two runs at different times: what the host's kernel counts also depends on what else is there
/// (how many mounts, how long a wait), so that only runs side by side are compared by it.
void drop_host_counters(Counts& counts) {
    std::erase_if(counts, [](auto const& entry) { return entry.first.starts_with("host."); });
}

std::vector<Apart> apart(Counts const& base, Counts const& head, bool more) {
    std::set<std::string> names;
    for (Counts const* const counts : {&base, &head})
        for (auto const& [name, count] : *counts)
            if (cause_of(name) == Cause::guest) names.insert(name);
    std::vector<Apart> found;
    for (std::string const& name : names) {
        Count const before = find(base, name, 1);
        Count const after = find(head, name, 1);
        if (more ? after.low > before.high : after.high < before.low)
            found.push_back({name, before, after});
    }
    return found;
}

Counts both_base_arms(Results const& results, std::string const& workload,
                      std::string const& engine) {
    Counts counts = counts_of(results, workload, base_arm(engine));
    if (engine == results.engines.front().name && counts.empty()) return counts;
    for (auto const& [name, count] : counts_of(results, workload, control_arm(engine)))
        counts[name] = merged(counts[name], count);
    return counts;
}

std::string told(std::vector<Apart> const& changes) {
    std::vector<std::string> parts;
    for (Apart const& one : changes)
        parts.push_back(fmt::format("{} {} -> {}", one.name, to_text(one.base), to_text(one.head)));
    return fmt::format("{}", fmt::join(parts, ", "));
}

void judge_cell(Judged& judged, Counts const& base, Counts const& head) {
    auto const runs = [](Counts const& counts) {
        std::size_t n = 0;
        for (auto const& [name, count] : counts)
            n = std::max(n, count.n);
        return n;
    };
    judged.n = std::min(runs(base), runs(head));
    if (judged.n == 0) {
        judged.reason = "nothing was counted";
        return;
    }
    auto const more = apart(base, head, true);
    auto const fewer = apart(base, head, false);
    std::size_t same = 0;
    std::vector<std::string> varying;
    for (auto const& [name, count] : base) {
        if (cause_of(name) != Cause::guest) continue;
        if (count.exact() && find(head, name, 1).exact())
            ++same;
        else
            varying.push_back(name);
    }
    judged.outcome = !more.empty()    ? Outcome::regression
                     : !fewer.empty() ? Outcome::improvement
                                      : Outcome::fine;
    judged.shown = !more.empty()    ? fmt::format("{} more", more.front().name)
                   : !fewer.empty() ? fmt::format("{} fewer", fewer.front().name)
                                    : "the same";
    judged.reason = told(more.empty() ? fewer : more);
    if (judged.reason.empty())
        judged.reason = fmt::format("{} counters are the same in every run", same);
    if (!varying.empty())
        judged.reason += fmt::format("; not the same every time: {}", fmt::join(varying, ", "));
}

/// Start-up has several metrics, and its runs are the same: they are judged once.
bool is_judged(Judgement const& judgement, GateCell const& cell) {
    return !judgement.cells.empty() && judgement.cells.back().workload == cell.workload &&
           judgement.cells.back().engine == cell.engine;
}

Judged unjudged(GateCell const& cell) {
    Judged judged;
    judged.workload = cell.workload;
    judged.engine = cell.engine;
    judged.backend = cell.backend;
    judged.metric = "counts";
    judged.reason = cell.missing;
    return judged;
}

Judgement new_judgement() {
    Judgement judgement;
    judgement.counts = true;
    return judgement;
}

} // namespace

Result<Compared> measure_counts(GateOptions const& options, Side const& base,
                                GateLineup const& gate, Interrupts& interrupts,
                                Progress& progress) {
    CompareOptions how = options.compare;
    how.engine_directory = base.path;
    how.workload_directory = base.workloads;
    how.counts = true;
    how.most_blocks = k_most_blocks;
    how.rounds_wanted = k_first_blocks;
    how.rounds_before_stopping = k_first_blocks;
    return compare(
        how, gate.lineup, interrupts, progress,
        [&](Row const& row, std::vector<Sample> const& samples) {
            Results so_far;
            so_far.samples = samples;
            so_far.engines.push_back({gate.lineup.arms.front().name, {}, {}, true, false, {}, {}});
            for (std::string const& engine : gate.engines) {
                Counts const before = both_base_arms(so_far, row.record.name, engine);
                Counts const after = counts_of(so_far, row.record.name, head_arm(engine));
                if (!apart(before, after, true).empty() || !apart(before, after, false).empty())
                    return false;
            }
            return true;
        });
}

Judgement judge_counts_of_run(Results const& results, std::vector<std::string> const& engines) {
    Judgement judgement = new_judgement();
    Family const family = family_of_run(results, engines);
    judgement.notes = family.notes;
    for (GateCell const& cell : family.cells) {
        if (is_judged(judgement, cell)) continue;
        Judged judged = unjudged(cell);
        if (cell.missing.empty())
            judge_cell(judged, both_base_arms(results, cell.workload, cell.engine),
                       counts_of(results, cell.workload, head_arm(cell.engine)));
        judgement.cells.push_back(std::move(judged));
    }
    return judgement;
}

Result<Judgement> judge_counts_of_files(Results const& base, Results const& head,
                                        std::vector<std::string> const& engines,
                                        std::vector<std::string> const& workloads) {
    Family const family = TRY(family_of_files(base, head, engines, workloads));
    Judgement judgement = new_judgement();
    if (!base.counts || !head.counts)
        return tl::unexpected<Error>(
            std::move(error("gate --counts", "a file holds timed runs, not counted ones",
                            "isobench compare --counts --json FILE")
                          .value())
                .with_exit(exit_code::usage));
    judgement.notes = family.notes;
    for (GateCell const& cell : family.cells) {
        if (is_judged(judgement, cell)) continue;
        Judged judged = unjudged(cell);
        auto ops_of = [&](Results const& results) {
            for (WorkloadRecord const& record : results.workloads)
                if (record.name == cell.workload) return record.ops;
            return std::uint64_t{0};
        };
        if (cell.missing.empty() && ops_of(base) != ops_of(head))
            judged.reason =
                fmt::format("{} operations in base, {} in head", ops_of(base), ops_of(head));
        else if (cell.missing.empty()) {
            Counts before = counts_of(base, cell.workload, cell.engine);
            Counts after = counts_of(head, cell.workload, cell.engine);
            drop_host_counters(before);
            drop_host_counters(after);
            judge_cell(judged, before, after);
        }
        judgement.cells.push_back(std::move(judged));
    }
    return judgement;
}

} // namespace iso::bench
