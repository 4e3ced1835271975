#pragma once

#include "benchmarks/history/record.hpp"
#include "benchmarks/statistics/synthetic_series.hpp"

#include <fmt/format.h>

#include <string>

namespace iso::bench::history::test {

/// A history whose course is known: so many runs, a day apart, of a machine with two engines. From
/// run `step` on (counted from 0) cpu-int in isolate is dearer by `change`, and the kernel is
/// another.
class Synthetic {
public:
    explicit Synthetic(std::size_t runs, std::size_t step = 1'000'000, double change = 0,
                       std::uint64_t seed = 1)
        : source_(seed)
        , seed_(seed) {
        Machine machine;
        machine.facts = {{"cpu.model", "Test CPU"},
                         {"cpu.online", "2"},
                         {"hypervisor", "none"},
                         {"kvm.backend", "kvm_pvm"}};
        machine.id = machine_id(machine.facts);
        history.machines.push_back(machine);
        for (std::size_t i = 0; i < runs; ++i)
            add_run(i, i >= step ? "Linux 6.2" : "Linux 6.1");
        add_series("cpu-int", "cpu-time", "isolate", Comparison::ratio, 1.18, step, change);
        add_series("cpu-int", "cpu-time", "vmm-mini", Comparison::ratio, 1.3, runs, 0);
        add_series("hello", "start-up", "isolate", Comparison::added, 2.0, runs, 0);
        history.sort();
    }

    History history;

    Series& of(std::string const& workload, std::string const& engine) {
        for (Series& series : history.series)
            if (series.key.workload == workload && series.key.engine == engine) return series;
        std::abort();
    }

    /// The point becomes a gap.
    static void spoil(Point& point, Status status, std::string reason) {
        point.status = status;
        point.reason = std::move(reason);
        point.value = point.low = point.high = point.whole = std::nullopt;
        point.n = 0;
    }

private:
    void add_run(std::size_t number, std::string const& kernel) {
        Run run;
        run.id = fmt::format("{:016x}{:016x}", seed_, number + 1);
        run.machine = history.machines.front().id;
        run.date = fmt::format("2026-{:02}-{:02}T03:04:05Z", 1 + number / 28, 1 + number % 28);
        run.commit = fmt::format("c0ffee{:034}", number);
        run.mode = "full";
        run.seed = 18446744073709551615U; // the largest there is
        run.facts = {{"kernel", kernel}, {"cpu.microcode", "0x1"}};
        history.runs.push_back(run);
    }

    void add_series(std::string const& workload, std::string const& metric,
                    std::string const& engine, Comparison comparison, double level,
                    std::size_t step, double change) {
        Series series;
        bool const ratio = comparison == Comparison::ratio;
        series.key = {history.machines.front().id,
                      workload,
                      metric,
                      engine,
                      "host",
                      std::string(64, 'a'),
                      {"a=<b>"},
                      ratio ? 1000U : 0U,
                      ratio ? Kind::compute : Kind::start_up,
                      comparison,
                      ratio ? "" : "ms"};
        for (std::size_t i = 0; i < history.runs.size(); ++i) {
            double const value =
                level * (i >= step ? 1 + change : 1) * (1 + 0.004 * source_.normal());
            series.points.push_back({history.runs[i].id, Status::ok, "", value, value * 0.99,
                                     value * 1.01, ratio ? 5 * value : 0.2 + value, 20, false});
        }
        history.series.push_back(std::move(series));
    }

    bench::test::SyntheticSeries source_;
    std::uint64_t seed_;
};

} // namespace iso::bench::history::test
