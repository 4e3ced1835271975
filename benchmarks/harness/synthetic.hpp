#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/statistics/random.hpp"

#include <cmath>

namespace iso::bench::test {

/// A result made of numbers that a test chooses, as if it had been measured.
struct Synthetic {
    Results results;
    Random random;

    explicit Synthetic(std::vector<std::string> const& engines, std::uint64_t seed = 1)
        : random(seed) {
        for (auto const& [key, value] :
             {std::pair{"cpu.model", "Test CPU"}, std::pair{"cpu.online", "2"},
              std::pair{"hypervisor", "none"}, std::pair{"kvm.backend", "none"},
              std::pair{"kernel", "Linux 6.1"}})
            results.environment.facts.push_back({key, key, value, {}});
        results.mode = "full";
        results.parts = {{"2026-01-01T00:00:00Z", "b0", "0.10"}};
        add_column("native", false);
        add_column("native (A/A)", true);
        for (std::string const& engine : engines)
            add_column(engine, engine.ends_with("(A/A)"));
    }

    /// A compute workload, measured in so many blocks in every column.
    void add_workload(std::string const& name, std::uint64_t blocks) {
        results.workloads.push_back({name,
                                     Kind::compute,
                                     "/w/" + name,
                                     {},
                                     1000,
                                     "aa" + name,
                                     "bb",
                                     blocks,
                                     "interval",
                                     "computing"});
    }

    /// One number per block and column: `cost` is relative to native, `noise` the deviation of its
    /// logarithm. Wall time is CPU time times `wall`.
    void measure(std::string const& workload, std::string const& engine, double cost, double noise,
                 double wall = 1) {
        std::uint64_t const blocks = find(workload).blocks;
        for (std::uint64_t block = 1; block <= blocks; ++block) {
            double const ms = 50 * cost * std::exp(noise * normal());
            add_sample(workload, engine, Role::baseline, block, 2, 2);
            add_sample(workload, engine, Role::measure, block, 2 + ms, 2 + ms * wall);
        }
        for (char const* const metric : {"cpu-time", "wall-time", "own-time"}) {
            Cell cell;
            cell.engine = engine;
            cell.backend = "test";
            cell.workload = workload;
            cell.metric = metric;
            cell.unit = "ns/op";
            cell.deciding = std::string(metric) == "cpu-time";
            cell.status = Status::ok;
            cell.median = 50 * cost;
            cell.ratio = cost;
            cell.ci_low = cost * (1 - noise);
            cell.ci_high = cost * (1 + noise);
            cell.n = blocks;
            cell.sha256 = find(workload).sha256;
            results.cells.push_back(cell);
        }
    }

    WorkloadRecord& find(std::string const& name) {
        for (WorkloadRecord& workload : results.workloads)
            if (workload.name == name) return workload;
        return results.workloads.front();
    }

    void add_sample(std::string const& workload, std::string const& engine, Role role,
                    std::uint64_t block, double cpu_ms, double wall_ms) {
        Sample sample;
        sample.workload = workload;
        sample.arm = engine;
        sample.role = role;
        sample.block = block;
        sample.at_ns = 1000;
        sample.wall_ns = static_cast<std::uint64_t>(wall_ms * 1e6);
        sample.user_ns = static_cast<std::uint64_t>(cpu_ms * 1e6);
        sample.own =
            OwnOutput{workload, role == Role::measure ? 1000U : 0U, 1000, "c", 0, 1500, ""};
        sample.backend = "test";
        results.samples.push_back(sample);
    }

private:
    void add_column(std::string const& name, bool control) {
        results.engines.push_back({name, "none", "test", true, control, "", ""});
    }

    double normal() {
        auto uniform = [&] {
            return (static_cast<double>(random.next() >> 11U) + 0.5) / 9007199254740992.0;
        };
        return std::sqrt(-2 * std::log(uniform())) *
               std::cos(2 * 3.14159265358979323846 * uniform());
    }
};

} // namespace iso::bench::test
