#include "benchmarks/harness/review.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace iso::bench {

namespace {

bool is_control(Results const& results, Cell const& cell) {
    return std::any_of(
        results.engines.begin(), results.engines.end(),
        [&](EngineRecord const& engine) { return engine.control && engine.name == cell.engine; });
}

/// Both native arms are the same program: where their interval misses "no difference", the noise
/// is larger than the interval says, or it was the one chance in twenty.
void review_control(Results& results) {
    unsigned looked_at = 0;
    std::vector<std::string> missed;
    for (Cell const& cell : results.cells) {
        if (!cell.deciding || !cell.ci_low || !cell.ci_high || !is_control(results, cell)) continue;
        if (cell.comparison == Comparison::alone) continue; // its interval is not about native
        ++looked_at;
        double const same = cell.comparison == Comparison::ratio ? 1 : 0;
        if (*cell.ci_low <= same && same <= *cell.ci_high) continue;
        missed.push_back(fmt::format("{} {} [{:.3f}, {:.3f}]", cell.workload, cell.metric,
                                     *cell.ci_low, *cell.ci_high));
    }
    if (missed.empty()) return;
    results.warnings.push_back(fmt::format(
        "the control arm (native against itself) misses {} in {} of {} cells: {}. One in twenty is "
        "chance; differences of that size mean nothing in those rows",
        "\"no difference\"", missed.size(), looked_at, fmt::join(missed, ", ")));
}

void review_clocks(Results& results) {
    std::set<std::string> where;
    for (Sample const& sample : results.samples)
        if (sample.clock_disagrees) where.insert(sample.workload + " in " + sample.arm);
    if (!where.empty())
        results.warnings.push_back(fmt::format(
            "a program's own clock disagrees with the host's (it says longer than it lived): {}",
            fmt::join(where, ", ")));
    for (Cell const& cell : results.cells)
        if (cell.metric == "first-output" && cell.engine == results.engines.front().name)
            results.warnings.push_back(
                "an engine's clock is not the host's: start-up is measured to the "
                "first byte of output, in every column");
}

} // namespace

void review(Results& results) {
    for (std::string const& warning : results.environment.warnings)
        results.warnings.push_back(warning);
    review_control(results);
    review_clocks(results);
}

} // namespace iso::bench
