#pragma once

#include "benchmarks/harness/results.hpp"

#include <cmath>

namespace iso::bench::report::test {

/// A small result with a cell of every kind and samples whose numbers are easy to work out.
///
/// Native takes 100 ns for a call, isolate 1.2 and vmm-mini (through emulation) 800 times that;
/// both by a little more in odd blocks. Starting takes 1 ms natively, 3 ms in isolate; vmm-mini
/// fails.
class Fixture {
public:
    static constexpr std::uint64_t k_blocks = 12;

    Fixture() {
        engines();
        machine();
        results.workloads = {{"cpu-int",
                              Kind::compute,
                              "/w/cpu-int",
                              {},
                              1000,
                              "aa",
                              "bb",
                              k_blocks,
                              "blocks",
                              "computing"},
                             {"syscall-null",
                              Kind::latency,
                              "/w/syscall-null",
                              {"a<b"},
                              10,
                              "cc",
                              "dd",
                              k_blocks,
                              "interval",
                              "calls"},
                             {"hello",
                              Kind::start_up,
                              "/w/hello",
                              {},
                              0,
                              "ee",
                              "ff",
                              k_blocks,
                              "time budget",
                              "start-up"}};
        cells();
        for (std::uint64_t block = 1; block <= k_blocks; ++block)
            samples_of(block);
        results.unit_costs = {{"page_fault", 500}, {"vm_exit", 2000}};
        results.decompositions = {
            {"isolate", "syscall-null", 20, {{"page faults of the host", 0.01, 500}}},
            {"vmm-mini", "syscall-null", 79'900, {{"VM exits", 2, 2000}}}};
        results.warnings = {"the machine is busy & <noisy>"};
    }

    Results results;

private:
    void engines() {
        results.engines = {{"native", "none", "host", true, false, "", ""},
                           {"native (A/A)", "none", "host", true, true, "", ""},
                           {"isolate", "OS-level virtualization", "root", true, false, "", ""},
                           {"vmm-mini", "virtual machine", "kvm_pvm", true, false, "", ""},
                           {"paravirt-demo", "paravirtualization", "", false, false, "not built",
                            "./isolab build"}};
    }

    void machine() {
        results.environment.facts = {{"cpu.model", "CPU", "Test CPU", {}},
                                     {"cpu.online", "CPUs online", "2", 2},
                                     {"date", "date", "2026-01-02T03:04:05Z", {}},
                                     {"hypervisor", "hypervisor above us", "none", {}},
                                     {"kernel", "kernel", "Linux 6.1", {}},
                                     {"kvm.backend", "KVM backend", "kvm_pvm", {}},
                                     {"mitigation.meltdown", "meltdown", "Mitigation: PTI", {}},
                                     {"mitigation.srbds", "srbds", "Not affected", {}}};
        results.mode = "quick";
        results.seed = 7;
        results.cpu = 1;
        results.time_budget_ns = 40'000'000'000;
        results.elapsed_ns = 12'000'000'000;
    }

    Cell& add(char const* engine, WorkloadRecord const& workload, char const* metric,
              Comparison comparison, double native, double ratio) {
        Cell cell;
        cell.engine = engine;
        cell.backend = "host";
        cell.workload = workload.name;
        cell.metric = metric;
        cell.unit = comparison == Comparison::ratio ? "ns/op" : "ms";
        cell.comparison = comparison;
        cell.sha256 = workload.sha256;
        cell.status = Status::ok;
        cell.median = native * ratio;
        cell.ratio = ratio;
        cell.added = native * (ratio - 1);
        cell.n = k_blocks;
        cell.identity_proved = true;
        if (std::string_view(engine) != "native") {
            double const effect = *cell.effect();
            cell.ci_low = effect - 0.05 * std::abs(effect);
            cell.ci_high = effect + 0.05 * std::abs(effect);
        }
        results.cells.push_back(cell);
        return results.cells.back();
    }

    static void spoil(Cell& cell, Status status, char const* reason) {
        cell.status = status;
        cell.reason = reason;
        cell.median = cell.ratio = cell.added = cell.ci_low = cell.ci_high = std::nullopt;
        cell.n = 0;
    }

    void cells() {
        auto const ratio = Comparison::ratio;
        auto const added = Comparison::added;
        WorkloadRecord const& compute = results.workloads[0];
        add("native", compute, "cpu-time", ratio, 5, 1);
        add("native (A/A)", compute, "cpu-time", ratio, 5, 1.01);
        add("isolate", compute, "cpu-time", ratio, 5, 0.98);
        spoil(add("vmm-mini", compute, "cpu-time", ratio, 5, 1), Status::void_,
              "another checksum than native");
        spoil(add("paravirt-demo", compute, "cpu-time", ratio, 5, 1), Status::unavailable,
              "not built");
        WorkloadRecord const& call = results.workloads[1];
        add("native", call, "own-time", ratio, 100, 1);
        add("native (A/A)", call, "own-time", ratio, 100, 1);
        add("isolate", call, "own-time", ratio, 100, 1.2);
        Cell& emulated = add("vmm-mini", call, "own-time", ratio, 100, 800);
        emulated.emulated = true;
        emulated.emulated_share = 0.4;
        spoil(add("paravirt-demo", call, "own-time", ratio, 100, 1), Status::unavailable,
              "not built");
        WorkloadRecord const& start = results.workloads[2];
        add("native", start, "start-to-exit", added, 1, 1);
        add("native (A/A)", start, "start-to-exit", added, 1, 1.001);
        add("isolate", start, "start-to-exit", added, 1, 3);
        spoil(add("vmm-mini", start, "start-to-exit", added, 1, 1), Status::failed,
              "timed out after 30 s");
        spoil(add("paravirt-demo", start, "start-to-exit", added, 1, 1), Status::unavailable,
              "not built");
    }

    void sample(char const* engine, char const* workload, std::uint64_t block, double call_ns,
                double wall_ms, std::string const& failure = {}) {
        Sample one;
        one.workload = workload;
        one.arm = engine;
        one.backend = "host";
        one.block = block;
        one.order = 1;
        one.wall_ns = static_cast<std::uint64_t>(wall_ms * 1e6);
        one.user_ns = 1000;
        one.failure = failure;
        if (call_ns > 0)
            one.own =
                OwnOutput{workload, 10, static_cast<std::uint64_t>(10 * call_ns), "00", 0, 0, ""};
        results.samples.push_back(one);
    }

    void samples_of(std::uint64_t block) {
        double const drift = block % 2 == 1 ? 1.01 : 1;
        sample("native", "syscall-null", block, 100, 1);
        sample("native (A/A)", "syscall-null", block, 100 * drift, 1);
        sample("isolate", "syscall-null", block, 120 * drift, 1);
        sample("vmm-mini", "syscall-null", block, 80'000 * drift, 1);
        double const slower = static_cast<double>(block) / 10;
        sample("native", "hello", block, 0, 1 + slower / 10);
        sample("isolate", "hello", block, 0, 3 + slower);
        sample("vmm-mini", "hello", block, 0, 30'000, "timed out after 30 s");
    }
};

} // namespace iso::bench::report::test
