#pragma once

#include "benchmarks/harness/crowd.hpp"
#include "benchmarks/harness/results.hpp"

#include <fmt/format.h>

namespace iso::bench::report::test {

/// Adds the cells of a crowd to a result: native's instances hold 100 KiB and say their first word
/// after 1 ms, isolate's 600 KiB and 3 ms, a little more with each that waits. vmm-mini starts no
/// more than four in time.
inline void add_density(Results& results) {
    results.workloads.push_back(
        {"idle", Kind::density, "/w/idle", {}, 0, "11", "22", 6, "blocks", "density"});
    auto add = [&](std::string const& engine, std::string const& metric, std::string const& unit,
                   double value, double native) {
        Cell cell;
        cell.engine = engine;
        cell.backend = "host";
        cell.workload = "idle";
        cell.metric = metric;
        cell.unit = unit;
        cell.comparison = Comparison::added;
        cell.status = Status::ok;
        cell.median = value;
        cell.ratio = value / native;
        cell.added = value - native;
        if (engine != "native") {
            cell.ci_low = 0.9 * (value - native);
            cell.ci_high = 1.1 * (value - native);
        }
        cell.n = 6;
        cell.sha256 = "11";
        results.cells.push_back(cell);
        return &results.cells.back();
    };
    struct Cost {
        char const* engine;
        double private_kib;
        double pss_kib;
        double first_ms;
        double more_ms; ///< with each that waits
    };
    constexpr Cost k_costs[] = {{"native", 100, 140, 1, 0.005},
                                {"native (A/A)", 101, 140, 1, 0.005},
                                {"isolate", 600, 720, 3, 0.2},
                                {"vmm-mini", 21'000, 21'500, 12, 1.5}};
    for (Cost const& cost : k_costs)
        add(cost.engine, "private-memory", "KiB", cost.private_kib, 100);
    for (Cost const& cost : k_costs)
        add(cost.engine, "pss", "KiB", cost.pss_kib, 140);
    for (unsigned const k : k_crowd_levels)
        for (Cost const& cost : k_costs) {
            Cell* const cell = add(cost.engine, fmt::format("start-of-{}", k), "ms",
                                   cost.first_ms + cost.more_ms * (k - 1), 1 + 0.005 * (k - 1));
            if (std::string_view(cost.engine) != "vmm-mini" || k <= 4) continue;
            cell->status = Status::unavailable;
            cell->reason = "not so many instances started in time; give them more: --timeout";
            cell->median = cell->ratio = cell->added = cell->ci_low = cell->ci_high = std::nullopt;
            cell->n = 0;
        }
}

} // namespace iso::bench::report::test
