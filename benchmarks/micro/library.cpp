// What the project's own code costs: hashing, reading ELF files, writing and reading reports.
#include "benchmarks/micro/workload.hpp"
#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/report.hpp"
#include "common/sha256.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace {

using benchmark::State;

void sha256(State& state) {
    std::vector<unsigned char> const data(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) {
        iso::Sha256 hash;
        hash.update(data.data(), data.size());
        unsigned char digest[iso::Sha256::digest_size];
        hash.finish(digest);
        benchmark::DoNotOptimize(digest);
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sha256)->Arg(64)->Arg(4096)->Arg(1 << 20);

void elf_parse(State& state) {
    auto const file = iso::read_file(workload("cpu-int"));
    if (!file) {
        state.SkipWithError(file.error().message().c_str());
        return;
    }
    auto const image = std::as_bytes(std::span(*file));
    for (auto _ : state) {
        auto const elf = iso::ElfImage::parse(image, "cpu-int");
        if (!elf) {
            state.SkipWithError(elf.error().message().c_str());
            break;
        }
        benchmark::DoNotOptimize(elf->entry);
    }
}
BENCHMARK(elf_parse);

iso::RunReport typical_report() {
    iso::RunReport report;
    report.engine = "vmm-mini";
    report.backend = "kvm_intel";
    report.ended = iso::Ended::exited;
    report.phases = {1'000'000, 2'000'000, 3'000'000, 4'000'000, 5'000'000};
    for (int i = 0; i < 40; ++i)
        report.counters["kvm.counter_" + std::to_string(i)] = static_cast<std::uint64_t>(i) * 1000;
    report.facts["cpuid.vendor"] = "GenuineIntel";
    return report;
}

void report_write(State& state) {
    iso::RunReport const report = typical_report();
    for (auto _ : state)
        benchmark::DoNotOptimize(to_json(report));
}
BENCHMARK(report_write);

void report_read(State& state) {
    std::string const text = to_json(typical_report());
    for (auto _ : state)
        if (!iso::parse_report(text)) {
            state.SkipWithError("its own report is refused");
            break;
        }
}
BENCHMARK(report_read);

} // namespace
