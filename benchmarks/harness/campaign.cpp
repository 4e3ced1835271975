#include "benchmarks/harness/campaign.hpp"

#include "benchmarks/harness/beside.hpp"
#include "benchmarks/harness/cells.hpp"
#include "benchmarks/harness/crowd.hpp"
#include "benchmarks/harness/environment_sources.hpp"
#include "benchmarks/harness/schedule.hpp"
#include "benchmarks/harness/verify.hpp"
#include "benchmarks/statistics/median.hpp"
#include "common/clock.hpp"
#include "common/scope_exit.hpp"
#include "common/temp_dir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_quick_rounds = 16;
constexpr std::uint64_t k_full_rounds = 60;
constexpr std::uint64_t k_smallest_share = 8; ///< operations are not cut to less than 1/8

std::uint64_t operations(Row const& row, Arm const& arm, Role role) {
    if (role == Role::baseline && !row.beside()) return 0; // beside: the same work, alone
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

/// The neighbour of a row's samples. Another CPU is one of those that the harness has for itself:
/// it sleeps while a sample runs.
SampleRequest neighbour_of(Row const& row, SampleRequest const& victim) {
    SampleRequest request = victim;
    std::vector<std::string> words = split_words(row.record.neighbour);
    request.program = row.record.path.substr(0, row.record.path.rfind('/') + 1) + words.front();
    request.arguments.assign(words.begin() + 1, words.end());
    request.counters = nullptr;
    if (!row.known->neighbour_here && victim.cpu)
        request.cpu = static_cast<int>(sources::last_allowed_cpu());
    return request;
}

/// Of this process alone, its children's is not in it (clock_gettime(2)).
std::uint64_t own_cpu_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
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

Result<void> Campaign::begin_part(PartRecord part, Journal* journal) {
    journal_ = journal;
    if (journal_ != nullptr) {
        go_on_from(journal_->recorded());
        TRY(journal_->write(part));
    }
    parts_.push_back(std::move(part));
    part_began_ns_ = monotonic_ns();
    part_began_cpu_ns_ = own_cpu_ns();
    return {};
}

void Campaign::end_part(Conditions seen) {
    PartRecord& part = parts_.back();
    part.conditions = std::move(seen);
    part.harness_cpu_ns = own_cpu_ns() - part_began_cpu_ns_;
    std::uint64_t in_samples = 0;
    for (Sample const& sample : samples_)
        in_samples += sample.part == parts_.size() ? sample.wall_ns : 0;
    std::uint64_t const whole = monotonic_ns() - part_began_ns_;
    part.harness_wall_ns = whole - std::min(in_samples, whole);
}

/// Failures stay failures, and what native found stays what the others have to find.
void Campaign::go_on_from(Recorded const& recorded) {
    parts_ = recorded.parts;
    samples_ = recorded.samples;
    started_ns_ -= std::min(recorded.elapsed_ns, started_ns_);
    deadline_ns_ = started_ns_ + options_.budget_ns();
    operations_fixed_ = !recorded.ops.empty();
    auto arm_named = [&](std::string const& name) {
        auto const found = std::find_if(lineup_.arms.begin(), lineup_.arms.end(),
                                        [&](Arm const& arm) { return arm.name == name; });
        return static_cast<std::size_t>(found - lineup_.arms.begin());
    };
    for (Row& row : rows_) {
        std::string const& name = row.record.name;
        for (Sample const& sample : samples_) {
            std::size_t const arm = arm_named(sample.arm);
            if (sample.workload != name || arm == lineup_.arms.size() || !row.verdicts[arm].good())
                continue;
            Sample as_taken = sample;
            as_taken.unused.clear();
            verify(row, arm, as_taken, sample.own ? sample.own->ops : 0);
        }
        for (Condemned const& condemned : recorded.condemned)
            if (std::size_t const arm = arm_named(condemned.arm);
                condemned.workload == name && arm != lineup_.arms.size())
                row.condemn(arm, condemned.status, condemned.reason);
        if (auto const ops = recorded.ops.find(name); ops != recorded.ops.end())
            row.record.ops = ops->second;
        if (auto const blocks = recorded.blocks.find(name); blocks != recorded.blocks.end())
            row.record.blocks = blocks->second;
        if (auto const stopped = recorded.stopped.find(name); stopped != recorded.stopped.end()) {
            row.record.stopped_because = stopped->second;
            row.done = true;
        } else if (!row.done && row.record.blocks >= block_cap(row)) {
            row.record.stopped_because = "blocks"; // that line was lost
            row.done = true;
        }
    }
}

Result<void> Campaign::run() {
    auto on_disk = [](Row const& row) { return row.own() && row.known->on_disk; };
    if (std::any_of(rows_.begin(), rows_.end(), on_disk)) TempDir::remove_abandoned(k_disk_prefix);
    for (Row& row : rows_)
        TRY(prove_identity(row));
    for (Row& row : rows_)
        TRY(warm_up(row));
    if (!operations_fixed_) TRY(fit_to_budget());
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
        if (!interrupted() && row.verdicts[arm].good() && !row.verdicts[arm].identity_proved)
            TRY(take(row, arm, Role::identity, arm));
    return {};
}

/// Native comes first: what it finds is what the others have to find. The block is not a result.
Result<void> Campaign::warm_up(Row& row) {
    if (row.done) return {};
    for (std::size_t const arm : row.live_arms()) {
        if (interrupted() || !row.verdicts[arm].good()) continue;
        show_progress("warming up: " + row.record.name);
        std::uint64_t const whole = TRY(take(row, arm, Role::warm_up, arm));
        std::uint64_t fixed = whole;
        if (row.beside()) { // once alone and once not, and the neighbour's own start
            row.loop_ns += 2 * whole;
            row.fixed_ns += whole;
            continue;
        }
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
    if (interrupted()) return {};
    if (journal_ != nullptr) {
        std::map<std::string, std::uint64_t> ops;
        for (Row const& row : rows_)
            ops[row.record.name] = row.record.ops;
        TRY(journal_->write_operations(ops));
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) // what native finds for the new number
        if (rows_[i].record.ops != asked[i] && !interrupted())
            TRY(take(rows_[i], 0, Role::warm_up, 0));
    return {};
}

Result<void> Campaign::stop(Row& row, std::string reason) {
    row.done = true;
    row.record.stopped_because = std::move(reason);
    if (journal_ != nullptr) TRY(journal_->write_stop(row.record.name, row.record.stopped_because));
    return {};
}

Result<void> Campaign::measure_round() {
    for (Row& row : rows_) {
        for (unsigned i = 0; i < row.blocks_per_round() && !row.done && !interrupted(); ++i) {
            if (out_of_time(row)) {
                TRY(stop(row, "time budget"));
                break;
            }
            show_progress(fmt::format("{}, block {}", row.record.name, row.record.blocks + 1));
            TRY(measure_block(row));
            if (!row.done && !interrupted() && row.record.blocks >= block_cap(row))
                TRY(stop(row, "blocks"));
        }
        if (!row.done && !interrupted() && enough(row)) TRY(stop(row, "interval"));
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
    std::size_t const first = samples_.size();
    block_ = ++row.record.blocks;
    ScopeExit const outside([&] { block_ = 0; });
    std::uint64_t order = 0;
    cut_ = false;
    for (Slot const& slot : block_order(options_.seed, row.record.name, row.record.blocks,
                                        row.live_arms(), row.pairs())) {
        if (row.done) break; // native failed: there is nothing to compare with
        cut_ = cut_ || interrupted();
        if (!cut_ && row.verdicts[slot.arm].good()) TRY(take(row, slot.arm, slot.role, order++));
    }
    if (cut_) { // half a block compares nothing
        for (std::size_t i = first; i < samples_.size(); ++i)
            samples_[i].unused = k_unfinished_block;
        --row.record.blocks;
        return {};
    }
    if (journal_ != nullptr) TRY(journal_->write_block(row.record.name, block_, elapsed_ns()));
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
    request.on_disk = row.own() && row.known->on_disk && role != Role::identity;
    request.counters = counters_ ? &*counters_ : nullptr;
    bool const crowd = row.record.kind == Kind::density && role == Role::measure;
    if (row.record.kind == Kind::density && role == Role::warm_up)
        request.arguments = {"seconds=0"};
    auto taken = crowd ? take_crowd(request, interrupts_)
                 : row.beside() && role == Role::measure
                     ? take_beside(request, neighbour_of(row, request), interrupts_)
                     : take_sample(request, interrupts_);
    if (!taken) { // it could not even be started: this arm's failure, not the harness's
        row.condemn(arm, Status::failed, taken.error().op + ": " + taken.error().cause);
        if (journal_ != nullptr)
            TRY(journal_->write(Condemned{row.record.name, runner.name, row.verdicts[arm].status,
                                          row.verdicts[arm].reason}));
        return 0;
    }
    if (taken->raw.interrupted) {
        cut_ = true;
        return 0;
    }
    Sample& sample = taken->sample;
    sample.workload = row.record.name;
    sample.arm = runner.name;
    sample.role = role;
    sample.block = block_;
    sample.order = order;
    sample.part = parts_.size();
    verify(row, arm, sample, operations(row, runner, role));
    Verdict const& verdict = row.verdicts[arm];
    std::optional<Condemned> condemned;
    if (!verdict.good()) {
        progress_.note(fmt::format("{} in {}: {}: {}", row.record.name, sample.arm,
                                   to_string(verdict.status), verdict.reason));
        condemned = Condemned{row.record.name, sample.arm, verdict.status, verdict.reason};
    }
    if (journal_ != nullptr) TRY(journal_->write(sample, condemned));
    samples_.push_back(std::move(sample));
    return verdict.good() ? samples_.back().wall_ns : 0;
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
