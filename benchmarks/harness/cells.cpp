#include "benchmarks/harness/cells.hpp"

#include "benchmarks/harness/metrics.hpp"
#include "benchmarks/harness/series.hpp"
#include "benchmarks/statistics/median.hpp"
#include "benchmarks/statistics/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

constexpr std::size_t k_fewest_for_p99 = 100;

/// Guest instructions that were emulated, times what one costs, as a share of the cell's CPU time.
double emulated_share(ArmSamples const& samples, std::map<std::string, double> const& per_op,
                      std::uint64_t ops) {
    auto const found = per_op.find("kvm.insn_emulation");
    if (found == per_op.end()) return 0;
    std::vector<double> cpu;
    std::vector<double> base;
    for (BlockSamples const& block : samples.blocks)
        if (block.measure != nullptr) cpu.push_back(static_cast<double>(block.measure->cpu_ns()));
    for (Sample const* const sample : samples.baselines)
        base.push_back(static_cast<double>(sample->cpu_ns()));
    double spent = cpu.empty() ? 0 : median(cpu);
    if (ops != 0 && !base.empty()) spent = std::max(spent - median(base), 0.0);
    double const emulated =
        found->second * static_cast<double>(ops == 0 ? 1 : ops) * k_emulated_instruction_ns;
    return spent <= 0 ? 0 : std::clamp(emulated / spent, 0.0, 1.0);
}

/// Fills in the numbers: medians over blocks, paired with native's value in the same block.
void fill_numbers(Cell& cell, Metric const& metric, ArmSamples const& own, ArmSamples const& native,
                  std::uint64_t seed, unsigned resamples) {
    std::vector<double> values;
    std::vector<double> ratios;
    std::vector<double> differences;
    for (auto const& [own_value, native_value] : paired_values(metric, own, native)) {
        values.push_back(own_value);
        differences.push_back(own_value - native_value);
        if (native_value > 0) ratios.push_back(own_value / native_value);
    }
    cell.n = values.size();
    if (values.empty()) return;
    cell.median = median(values);
    cell.added = median(differences);
    if (!ratios.empty()) cell.ratio = median(ratios);
    if (values.size() >= k_fewest_for_p99) cell.p99 = quantile(values, 0.99);
    bool const alone = cell.comparison == Comparison::alone;
    auto const& compared = alone                                  ? values
                           : cell.comparison == Comparison::ratio ? ratios
                                                                  : differences;
    if ((&own == &native && !alone) || compared.size() < k_fewest_for_interval) return;
    Interval const interval = bootstrap_median(
        compared, derive_seed(seed, cell.workload + cell.metric + cell.engine, 0), resamples);
    cell.ci_low = interval.low;
    cell.ci_high = interval.high;
}

void fill_status(Cell& cell, Verdict const& verdict, WorkloadRecord const& record) {
    std::uint64_t const blocks = record.blocks;
    cell.status = verdict.status;
    cell.reason = verdict.reason;
    cell.identity_proved = verdict.identity_proved;
    // A crowd that stopped growing has no number for what it did not reach. That is an answer.
    if (verdict.good() && cell.n == 0 && blocks != 0 && cell.metric.starts_with("start-of-")) {
        cell.status = Status::unavailable;
        cell.reason = "not so many instances started in time; give them more: --timeout";
        return;
    }
    if (verdict.good() && (cell.n == 0 || cell.n < blocks / 2)) {
        cell.status = Status::incomplete;
        if (blocks != 0)
            cell.reason = fmt::format("{} of {} blocks say something: {} operations are too few "
                                      "to be told from start-up",
                                      cell.n, blocks, record.ops);
        else
            cell.reason = record.stopped_because == k_stopped_by_interruption
                              ? "interrupted before its first block was complete"
                              : "no block fitted into the time; give it more: --time-budget";
    }
    if (cell.status == Status::ok) return;
    // A number that means nothing is not shown to anyone.
    cell.median = cell.p99 = cell.ratio = cell.added = cell.ci_low = cell.ci_high = std::nullopt;
}

std::string backend_of(ArmSamples const& samples, Arm const& arm) {
    for (BlockSamples const& block : samples.blocks)
        if (block.measure != nullptr && !block.measure->backend.empty())
            return block.measure->backend;
    return arm.probe.backend;
}

/// The same in every sample, as it depends on the arguments alone.
double bytes_per_op(ArmSamples const& samples) {
    for (BlockSamples const& block : samples.blocks)
        if (block.measure != nullptr && block.measure->own && block.measure->own->ops != 0)
            return static_cast<double>(block.measure->own->bytes) /
                   static_cast<double>(block.measure->own->ops);
    return 0;
}

/// The same engine's wall time, where CPU time decides.
Cell const* second_opinion(std::vector<Cell> const& cells, Cell const& cell) {
    if (cell.metric != "cpu-time" || cell.comparison != Comparison::ratio || !cell.deciding)
        return nullptr;
    auto const found = std::find_if(cells.begin(), cells.end(), [&](Cell const& other) {
        return other.metric == "wall-time" && other.engine == cell.engine;
    });
    return found == cells.end() ? nullptr : &*found;
}

/// CPU time decides. When the clock on the wall says something else, neither is believed.
void compare_opinions(Cell& cell, Cell const& wall) {
    if (cell.status != Status::ok || wall.status != Status::ok) return;
    if (!cell.ci_low || !cell.ci_high || !wall.ci_low || !wall.ci_high) return;
    double const apart = std::max(*wall.ci_low / *cell.ci_high, *cell.ci_low / *wall.ci_high);
    if (apart <= 1 + k_opinions_apart) return;
    cell.status = Status::inconclusive;
    cell.reason = fmt::format("CPU time says {:.3f} of native [{:.3f}, {:.3f}], wall time {:.3f} "
                              "[{:.3f}, {:.3f}]",
                              *cell.ratio, *cell.ci_low, *cell.ci_high, *wall.ratio, *wall.ci_low,
                              *wall.ci_high);
}

} // namespace

std::vector<Cell> make_cells(CellInput const& input) {
    WorkloadRecord const& record = input.row.record;
    bool const shared_clock = clocks_are_shared(input.samples, record.name);
    std::vector<Metric> const metrics = metrics_of(record.kind, record.ops, shared_clock);
    ArmSamples const native = collect(input.samples, record, input.arms.front().name);
    std::vector<Cell> cells;
    for (Metric const& metric : metrics) {
        for (std::size_t i = 0; i < input.arms.size(); ++i) {
            Arm const& arm = input.arms[i];
            ArmSamples samples = collect(input.samples, record, arm.name);
            Cell cell;
            cell.engine = arm.name;
            cell.backend = backend_of(samples, arm);
            cell.workload = record.name;
            cell.metric = metric.name;
            cell.unit = metric.unit;
            cell.deciding = metric.deciding;
            cell.comparison = metric.comparison;
            cell.sha256 = record.sha256;
            auto const checksum = input.row.checksums.find(record.ops);
            if (checksum != input.row.checksums.end()) cell.checksum = checksum->second;
            fill_numbers(cell, metric, i == 0 ? native : samples, native, input.seed,
                         input.resamples);
            fill_status(cell, input.row.verdicts[i], record);
            // A run alone is no run without the loop: nothing is subtracted beside a neighbour.
            if (input.row.beside()) samples.baselines.clear();
            cell.per_op = counters_per_op(samples.blocks, samples.baselines, record.ops);
            cell.emulated_share = emulated_share(samples, cell.per_op, record.ops);
            cell.emulated = cell.emulated_share > k_emulation_matters;
            cell.bytes_per_op = bytes_per_op(samples);
            cells.push_back(std::move(cell));
        }
    }
    for (Cell& cell : cells)
        if (Cell const* const other = second_opinion(cells, cell)) compare_opinions(cell, *other);
    return cells;
}

bool is_narrow(Cell const& cell) {
    if (!cell.ci_low || !cell.ci_high) return true; // native itself has no interval
    double const half = (*cell.ci_high - *cell.ci_low) / 2;
    double const effect = std::abs(cell.effect().value_or(0));
    if (cell.comparison == Comparison::alone) return half < 0.05 * effect;
    if (cell.comparison == Comparison::added) return half < std::max(0.03, effect / 50); // ms
    return half < (cell.metric == "cpu-time" ? 0.004 : 0.02) * std::max(effect, 1.0);
}

} // namespace iso::bench
