#pragma once

#include "benchmarks/harness/results.hpp"

namespace iso::bench::test {

/// A small comparison with one cell of every kind: fine, hatched, void, failed, unavailable.
inline Results some_results() {
    Results results;
    results.environment.facts = {{"cpu.model", "CPU", "Test CPU", {}},
                                 {"cpu.online", "CPUs online", "2", 2},
                                 {"kernel", "kernel", "Linux 6.1", {}},
                                 {"hypervisor", "hypervisor above us", "none", {}},
                                 {"kvm.backend", "KVM backend", "kvm_pvm", {}}};
    results.mode = "quick";
    results.seed = 7;
    results.cpu = 1;
    results.time_budget_ns = 40'000'000'000;
    results.elapsed_ns = 12'000'000'000;
    results.engines = {
        {"native", "none", "host", true, false, "", ""},
        {"native (A/A)", "none", "host", true, true, "", ""},
        {"isolate", "OS-level virtualization", "root", true, false, "", ""},
        {"vmm-mini", "virtual machine", "kvm_pvm", true, false, "", ""},
        {"paravirt-demo", "paravirtualization", "", false, false, "not built", "./isolab build"}};
    results.workloads = {
        {"cpu-int", Kind::compute, "/w/cpu-int", {}, 1000, "aa", "bb", 20, "blocks"},
        {"syscall-null", Kind::latency, "/w/syscall-null", {}, 1500, "cc", "dd", 20, "blocks"},
        {"hello", Kind::start_up, "/w/hello", {}, 0, "ee", "ff", 20, "time budget"}};
    auto add = [&](char const* engine, char const* workload, char const* metric, char const* unit,
                   Comparison comparison, Status status, double median, double effect, double low,
                   double high) {
        Cell cell;
        cell.engine = engine;
        cell.workload = workload;
        cell.metric = metric;
        cell.unit = unit;
        cell.comparison = comparison;
        cell.status = status;
        if (status == Status::ok) {
            cell.median = median;
            (comparison == Comparison::ratio ? cell.ratio : cell.added) = effect;
            if (low != high) {
                cell.ci_low = low;
                cell.ci_high = high;
            }
            cell.n = 20;
            cell.identity_proved = true;
        }
        results.cells.push_back(cell);
        return &results.cells.back();
    };
    auto const ratio = Comparison::ratio;
    auto const added = Comparison::added;
    add("native", "cpu-int", "cpu-time", "ns/op", ratio, Status::ok, 5.21, 1, 1, 1);
    add("native (A/A)", "cpu-int", "cpu-time", "ns/op", ratio, Status::ok, 5.22, 1.001, 0.998,
        1.003);
    add("isolate", "cpu-int", "cpu-time", "ns/op", ratio, Status::ok, 5.2, 0.999, 0.995, 1.004);
    add("vmm-mini", "cpu-int", "cpu-time", "ns/op", ratio, Status::void_, 0, 0, 0, 0)->reason =
        "another checksum than native";
    add("paravirt-demo", "cpu-int", "cpu-time", "ns/op", ratio, Status::unavailable, 0, 0, 0, 0)
        ->reason = "not built";
    add("native", "syscall-null", "own-time", "ns/op", ratio, Status::ok, 120, 1, 1, 1);
    add("native (A/A)", "syscall-null", "own-time", "ns/op", ratio, Status::ok, 120.5, 1.004, 0.99,
        1.012);
    add("isolate", "syscall-null", "own-time", "ns/op", ratio, Status::ok, 156, 1.3, 1.284, 1.318);
    Cell* const trapped = add("vmm-mini", "syscall-null", "own-time", "ns/op", ratio, Status::ok,
                              72000, 600, 590, 612);
    trapped->emulated = true;
    trapped->emulated_share = 0.4;
    trapped->per_op = {{"kvm.exits", 2.0}, {"kvm.insn_emulation", 74.0}};
    add("paravirt-demo", "syscall-null", "own-time", "ns/op", ratio, Status::unavailable, 0, 0, 0,
        0);
    add("native", "hello", "start-to-exit", "ms", added, Status::ok, 0.164, 0, 0, 0);
    add("native (A/A)", "hello", "start-to-exit", "ms", added, Status::ok, 0.165, 0.001, -0.004,
        0.006);
    add("isolate", "hello", "start-to-exit", "ms", added, Status::ok, 2.1, 1.94, 1.9, 1.98);
    add("vmm-mini", "hello", "start-to-exit", "ms", added, Status::failed, 0, 0, 0, 0)->reason =
        "timed out after 30 s";
    add("paravirt-demo", "hello", "start-to-exit", "ms", added, Status::unavailable, 0, 0, 0, 0);
    Sample sample;
    sample.workload = "cpu-int";
    sample.arm = "isolate";
    sample.backend = "root";
    sample.block = 3;
    sample.order = 2;
    sample.at_ns = 1000;
    sample.wall_ns = 5'000'000;
    sample.user_ns = 4'000'000;
    sample.system_ns = 500'000;
    sample.first_output_ns = 4'900'000;
    sample.own = OwnOutput{"cpu-int", 1000, 5210, "0123456789abcdef", 0, 1500, ""};
    sample.phases.create = 1100;
    sample.phases.enter = 1400;
    sample.counters = {{"host.minor_faults", 12}};
    sample.facts = {{"cpuid.vendor", "GenuineIntel"}};
    results.samples = {sample};
    results.parts = {{"2026-01-01T00:00:00Z", "b0", "0.10", 1, 0,
                      Conditions{0.01, {{"cpu", 0.2}}, 0.5}, 200'000, 400'000}};
    results.warnings = {"the machine is busy"};
    return results;
}

} // namespace iso::bench::test
