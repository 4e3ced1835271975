#include "benchmarks/harness/campaign.hpp"

#include "benchmarks/harness/cells.hpp"
#include "benchmarks/harness/crowd.hpp"
#include "benchmarks/harness/schedule.hpp"
#include "benchmarks/harness/verify.hpp"
#include "benchmarks/statistics/median.hpp"
#include "common/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_quick_rounds = 16;
constexpr std::uint64_t k_full_rounds = 60;
constexpr std::uint64_t k_smallest_share = 8; ///< operations are not cut to less than 1/8

std::uint64_t operations(Row const& row, Arm const& arm, Role role) {
    if (role == Role::baseline) return 0;
    auto const extra = arm.extra_work * static_cast<double>(row.record.ops);
    return row.record.ops + static_cast<std::uint64_t>(std::llround(extra));
}

std::vector<std::string> arguments_of(Row const& row, Arm const& arm, Role role) {
    if (row.own() && role == Role::identity) return {"identity=1"};
    std::vector<std::string> words = row.record.arguments;
    if (row.own() && row.record.ops != 0)
        words.push_back(fmt::format("ops={}", operations(row, arm, role)));
    return words;
}

} // namespace

Campaign::Campaign(CompareOptions const& options, Lineup const& lineup, std::vector<Row> rows,
                   std::optional<int> cpu, Interrupts& interrupts, Progress& progress)
    : options_(options)
    , lineup_(lineup)
    , rows_(std::move(rows))
    , cpu_(cpu)
    , interrupts_(interrupts)
    , progress_(progress)
    , started_ns_(monotonic_ns())
    , deadline_ns_(started_ns_ + options.budget_ns()) {
    if (options.counts) counters_ = HostCounters::probe();
}

std::uint64_t Campaign::elapsed_ns() const {
    return monotonic_ns() - started_ns_;
}

std::uint64_t Campaign::time_left() const {
    std::uint64_t const now = monotonic_ns();
    return now < deadline_ns_ ? deadline_ns_ - now : 0;
}

Result<void> Campaign::run() {
    for (Row& row : rows_)
        TRY(prove_identity(row));
    for (Row& row : rows_)
        TRY(warm_up(row));
    TRY(fit_to_budget());
    auto active = [](Row const& row) { return !row.done; };
    while (!interrupted() && std::any_of(rows_.begin(), rows_.end(), active))
        TRY(measure_round());
    progress_.clear();
    return {};
}

Result<void> Campaign::prove_identity(Row& row) {
    if (!row.own()) return {}; // a foreign program cannot hash itself; its output is compared
    show_progress("proving identity: " + row.record.name);
    for (std::size_t const arm : row.live_arms())
        if (!interrupted() && row.verdicts[arm].good()) TRY(take(row, arm, Role::identity, arm));
    return {};
}

/// Native comes first: what it finds is what the others have to find. The block is not a result.
Result<void> Campaign::warm_up(Row& row) {
    for (std::size_t const arm : row.live_arms()) {
        if (interrupted() || !row.verdicts[arm].good()) continue;
        show_progress("warming up: " + row.record.name);
        std::uint64_t const whole = TRY(take(row, arm, Role::warm_up, arm));
        std::uint64_t fixed = whole;
        if (row.record.ops != 0 && row.verdicts[arm].good()) {
            // Latency rows have this one baseline only: it makes their counters exact.
            fixed = std::min(whole, TRY(take(row, arm, Role::baseline, arm)));
        }
        row.fixed_ns += row.subtracts() ? 2 * fixed : fixed;
        row.loop_ns += whole - fixed;
    }
    return {};
}

/// Cuts operations, the same for every engine of a row, until enough rounds fit into the time.
Result<void> Campaign::fit_to_budget() {
    std::uint64_t const rounds = options_.blocks.value_or(options_.rounds_wanted);
    auto cost = [](Row const& row) {
        return row.done ? 0 : row.block_ns() * row.blocks_per_round();
    };
    std::vector<std::uint64_t> const asked = [&] {
        std::vector<std::uint64_t> ops;
        for (Row const& row : rows_)
            ops.push_back(row.record.ops);
        return ops;
    }();
    for (;;) {
        std::uint64_t round_ns = 0;
        for (Row const& row : rows_)
            round_ns += cost(row);
        if (round_ns * rounds <= time_left()) break;
        Row* dearest = nullptr;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            Row& row = rows_[i];
            // Where set-up takes most of the time, fewer operations only make a worse number.
            if (row.done || row.record.ops < 2 || row.loop_ns < row.fixed_ns) continue;
            if (row.record.ops / 2 < asked[i] / k_smallest_share) continue;
            if (dearest == nullptr || row.loop_ns > dearest->loop_ns) dearest = &row;
        }
        if (dearest == nullptr || dearest->loop_ns == 0) break;
        dearest->record.ops /= 2;
        dearest->loop_ns /= 2;
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) // what native finds for the new number
        if (rows_[i].record.ops != asked[i] && !interrupted())
            TRY(take(rows_[i], 0, Role::warm_up, 0));
    return {};
}

Result<void> Campaign::measure_round() {
    for (Row& row : rows_) {
        for (unsigned i = 0; i < row.blocks_per_round() && !row.done && !interrupted(); ++i) {
            if (out_of_time(row)) {
                row.done = true;
                row.record.stopped_because = "time budget";
                break;
            }
            show_progress(fmt::format("{}, block {}", row.record.name, row.record.blocks + 1));
            TRY(measure_block(row));
            if (row.record.blocks >= block_cap(row)) {
                row.done = true;
                row.record.stopped_because = "blocks";
            }
        }
        if (!row.done && enough(row)) {
            row.done = true;
            row.record.stopped_because = "interval";
        }
    }
    return {};
}

/// A row without enough blocks for an interval may overdraw the budget by a fifth, no more.
bool Campaign::out_of_time(Row const& row) const {
    if (row.record.blocks == 0) return false;
    bool const few = row.record.blocks < k_fewest_for_interval && !options_.blocks;
    std::uint64_t const end = deadline_ns_ + (few ? options_.budget_ns() / 5 : 0);
    return monotonic_ns() + row.block_ns() > end;
}

Result<void> Campaign::measure_block(Row& row) {
    std::uint64_t const before = monotonic_ns();
    ++row.record.blocks;
    std::uint64_t order = 0;
    for (Slot const& slot : block_order(options_.seed, row.record.name, row.record.blocks,
                                        row.live_arms(), row.subtracts())) {
        if (interrupted() || row.done) return {};
        if (row.verdicts[slot.arm].good()) TRY(take(row, slot.arm, slot.role, order++));
    }
    // The estimate follows what is seen, so that a neighbour's burst does not end the run too soon.
    row.fixed_ns = (row.block_ns() + (monotonic_ns() - before)) / 2;
    row.loop_ns = 0;
    return {};
}

Result<std::uint64_t> Campaign::take(Row& row, std::size_t arm, Role role, std::uint64_t order) {
    SampleRequest request;
    Arm const& runner = lineup_.arms[arm];
    request.engine = runner.engine;
    request.program = row.record.path;
    request.arguments = arguments_of(row, runner, role);
    request.cpu = cpu_;
    request.timeout_ns = options_.timeout_ns;
    request.own_workload = row.own();
    request.counters = counters_ ? &*counters_ : nullptr;
    bool const crowd = row.record.kind == Kind::density && role == Role::measure;
    if (row.record.kind == Kind::density && role == Role::warm_up)
        request.arguments = {"seconds=0"};
    auto taken = crowd ? take_crowd(request, interrupts_) : take_sample(request, interrupts_);
    if (!taken) { // it could not even be started: this arm's failure, not the harness's
        row.condemn(arm, Status::failed, taken.error().op + ": " + taken.error().cause);
        return 0;
    }
    if (taken->raw.interrupted) return 0;
    Sample& sample = taken->sample;
    sample.workload = row.record.name;
    sample.arm = runner.name;
    sample.role = role;
    sample.block = role == Role::measure || (role == Role::baseline && row.record.blocks != 0)
                       ? row.record.blocks
                       : 0;
    sample.order = order;
    verify(row, arm, sample, operations(row, runner, role));
    if (!row.verdicts[arm].good())
        progress_.note(fmt::format("{} in {}: {}: {}", row.record.name, sample.arm,
                                   to_string(row.verdicts[arm].status), row.verdicts[arm].reason));
    samples_.push_back(std::move(sample));
    return row.verdicts[arm].good() ? samples_.back().wall_ns : 0;
}

std::uint64_t Campaign::block_cap(Row const& row) const {
    if (options_.blocks) return *options_.blocks;
    if (options_.most_blocks) return *options_.most_blocks;
    return (options_.quick ? k_quick_rounds : k_full_rounds) * row.blocks_per_round();
}

bool Campaign::enough(Row& row) const {
    if (options_.blocks || (options_.quick && !stop_rule_)) return false;
    if (row.record.blocks < options_.rounds_before_stopping * row.blocks_per_round()) return false;
    if (stop_rule_) return stop_rule_(row, samples_);
    auto const cells = make_cells({row, lineup_.arms, samples_, options_.seed, 400});
    return std::all_of(cells.begin(), cells.end(), [](Cell const& cell) {
        return !cell.deciding || cell.status != Status::ok || is_narrow(cell);
    });
}

void Campaign::show_progress(std::string const& what) {
    std::uint64_t left = 0;
    for (Row const& row : rows_)
        if (!row.done && block_cap(row) > row.record.blocks)
            left += (block_cap(row) - row.record.blocks) * row.block_ns();
    bool const estimated = std::all_of(
        rows_.begin(), rows_.end(), [](Row const& row) { return row.done || row.block_ns() != 0; });
    left = estimated ? std::min(left, time_left() + options_.budget_ns() / 5) : time_left();
    progress_.update(what, elapsed_ns(), left);
}

} // namespace iso::bench
