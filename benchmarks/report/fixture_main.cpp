// Prints the fixture as a result file, for tests that need one: `report_fixture [SEED [PEERS]]`; or
// a history of so many runs with a change in it, as an export: `report_fixture history RUNS`.
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/history/archive.hpp"
#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/report/density_fixture.hpp"
#include "benchmarks/report/report_fixture.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

/// More engines: copies of isolate, each dearer than the one before.
void add_peer(iso::bench::Results& results, unsigned number) {
    using namespace iso::bench;
    std::string const name = "peer-number-" + std::to_string(number);
    results.engines.push_back({name, "OS-level virtualization", "1.2", true, false, "", "", true});
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        cells.push_back(results.cells[i]);
        // The cells of a row stand in the order of the engines: this one's come last.
        bool const last = i + 1 == results.cells.size() ||
                          results.cells[i + 1].workload != results.cells[i].workload ||
                          results.cells[i + 1].metric != results.cells[i].metric;
        if (!last) continue;
        Cell cell = *results.find(results.cells[i].workload, results.cells[i].metric, "isolate");
        cell.engine = name;
        for (auto* const value :
             {&cell.median, &cell.ratio, &cell.added, &cell.ci_low, &cell.ci_high})
            if (*value) **value *= 1 + number * number * number;
        cells.push_back(cell);
    }
    results.cells = cells;
    std::vector<Sample> const samples = results.samples;
    for (Sample sample : samples)
        if (sample.arm == "isolate") {
            sample.arm = name;
            sample.wall_ns *= 1 + number;
            results.samples.push_back(sample);
        }
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 2 && std::string_view(argv[1]) == "history") {
        auto const runs = std::strtoul(argv[2], nullptr, 10);
        using iso::bench::history::test::Synthetic;
        Synthetic const made(runs, runs - std::min(runs, 6UL), 0.08);
        std::fputs(iso::bench::history::export_json(made.history).c_str(), stdout);
        return std::fflush(stdout) == 0 ? 0 : 1;
    }
    iso::bench::report::test::Fixture fixture;
    iso::bench::report::test::add_density(fixture.results);
    if (argc > 1) fixture.results.seed = std::strtoull(argv[1], nullptr, 10);
    unsigned const peers = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 0;
    for (unsigned number = 1; number <= peers; ++number)
        add_peer(fixture.results, number);
    std::fputs(iso::bench::to_json(fixture.results).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
