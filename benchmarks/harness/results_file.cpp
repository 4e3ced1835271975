#include "benchmarks/harness/results_file.hpp"

#include "common/fd.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace iso::bench {

namespace {

constexpr std::size_t k_largest_file = std::size_t{1} << 30U;

tl::unexpected<Error> contradiction(std::string cause) {
    return error("results", std::move(cause), "the file as isobench wrote it");
}

} // namespace

Result<void> check_results(Results const& results) {
    if (results.engines.empty() || results.engines.front().control)
        return contradiction("its first column is not native");
    std::set<std::string> columns;
    for (EngineRecord const& engine : results.engines)
        if (!columns.insert(engine.name).second)
            return contradiction("two columns '" + engine.name + "'");
    std::map<std::string, WorkloadRecord const*> workloads;
    for (WorkloadRecord const& workload : results.workloads)
        if (!workloads.emplace(workload.name, &workload).second)
            return contradiction("two workloads '" + workload.name + "'");
    for (Cell const& cell : results.cells) {
        auto const workload = workloads.find(cell.workload);
        if (workload == workloads.end() || !columns.contains(cell.engine))
            return contradiction(fmt::format("a cell '{}' in '{}', which it does not have",
                                             cell.workload, cell.engine));
        if (cell.sha256 != workload->second->sha256)
            return contradiction(
                fmt::format("'{}' has two hashes: other bytes were mixed in", cell.workload));
    }
    std::set<std::tuple<std::string, std::string, Role, std::uint64_t>> seen;
    for (Sample const& sample : results.samples) {
        auto const workload = workloads.find(sample.workload);
        if (workload == workloads.end() || !columns.contains(sample.arm))
            return contradiction(fmt::format("a sample of '{}' in '{}', which it does not have",
                                             sample.workload, sample.arm));
        if (sample.block > workload->second->blocks)
            return contradiction(fmt::format("'{}' has {} blocks and a sample of block {}",
                                             sample.workload, workload->second->blocks,
                                             sample.block));
        // Outside of the blocks there may be several, and an interrupted block is run again.
        if (sample.block == 0 || !sample.unused.empty()) continue;
        if (!seen.emplace(sample.workload, sample.arm, sample.role, sample.block).second)
            return contradiction(
                fmt::format("two runs of '{}' in '{}' for block {}: two results were mixed",
                            sample.workload, sample.arm, sample.block));
    }
    return {};
}

Result<Results> read_results(std::string const& path) {
    auto results = [&]() -> Result<Results> {
        std::string const text = TRY(read_file(path, k_largest_file));
        Results parsed = TRY(parse_results(text));
        TRY(check_results(parsed));
        return parsed;
    }();
    if (results) return results;
    Error problem = std::move(results.error());
    if (problem.op == "results") problem.op = path;
    return tl::unexpected<Error>(std::move(problem).with_exit(exit_code::usage));
}

} // namespace iso::bench
