#include "benchmarks/history/extract.hpp"

#include "benchmarks/harness/machine_identity.hpp"
#include "benchmarks/history/date.hpp"
#include "common/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::history {

namespace {

constexpr std::size_t k_run_digits = 32;

tl::unexpected<Error> refused(std::string cause, std::string hint) {
    return tl::unexpected<Error>(
        Error{"history", std::move(cause), std::move(hint), 0, exit_code::usage});
}

/// A file that was read says "2.0" where the machine said "2".
std::string fact_text(Environment const& environment, char const* key) {
    if (auto const number = environment.number(key)) return fmt::format("{:g}", *number);
    return environment.get(key);
}

Machine machine_of(Environment const& environment) {
    Machine machine;
    for (char const* const key : k_machine_facts)
        machine.facts[key] = fact_text(environment, key);
    machine.id = machine_id(machine.facts);
    return machine;
}

bool is_number(std::optional<double> const& value) {
    return value && std::isfinite(*value);
}

Point point_of(Cell const& cell, std::string const& run) {
    Point point;
    point.run = run;
    point.status = cell.status;
    point.reason = plain(cell.reason);
    point.n = cell.n;
    point.emulated = cell.emulated;
    auto const effect = cell.effect();
    bool const good = is_number(effect) && (cell.comparison == Comparison::added || *effect > 0);
    if (cell.status == Status::ok && !good) {
        point.status = Status::incomplete;
        point.reason = "there is nothing to compare it with";
    }
    if (point.status != Status::ok) return point; // a gap: the file's numbers mean nothing, too
    point.value = effect;
    if (is_number(cell.ci_low) && is_number(cell.ci_high)) {
        point.low = cell.ci_low;
        point.high = cell.ci_high;
    }
    if (is_number(cell.median)) point.whole = cell.median;
    return point;
}

/// A gate's run has columns for base, base again and head.
bool is_gate_run(Results const& results) {
    return std::any_of(results.engines.begin(), results.engines.end(),
                       [](EngineRecord const& engine) { return engine.name.ends_with(" (head)"); });
}

} // namespace

std::string plain(std::string text) {
    constexpr std::size_t k_longest = 1000;
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    if (text.size() <= k_longest) return text;
    std::size_t end = k_longest; // not within a character: those go on with 10xxxxxx
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80)
        --end;
    return text.substr(0, end);
}

std::string run_id(Results const& results) {
    Sha256 hash;
    auto take = [&](std::string const& line) { hash.update(line.data(), line.size()); };
    take(fmt::format("isolab run\n{}\n{}\n{}\n", results.environment.get("date"), results.seed,
                     results.elapsed_ns));
    for (Sample const& sample : results.samples)
        take(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", sample.workload, sample.arm,
                         to_string(sample.role), sample.block, sample.order, sample.at_ns,
                         sample.wall_ns, sample.user_ns, sample.system_ns));
    char text[2 * Sha256::digest_size + 1];
    hash.finish_hex(text);
    return std::string(text, k_run_digits);
}

Result<History> history_of(Results const& results, Label const& label) {
    if (results.counts)
        return refused("it holds counts, not times", "what isobench compare --json wrote");
    if (is_gate_run(results))
        return refused("it is a gate's run, which holds two versions",
                       "what isobench compare --json wrote");
    History history;
    Machine machine = machine_of(results.environment);
    Run run;
    run.id = run_id(results);
    run.machine = machine.id;
    run.commit = plain(label.commit);
    run.date = label.date.empty() ? TRY(utc_date(results.environment.get("date"))) : label.date;
    run.mode = plain(results.mode);
    run.seed = results.seed;
    for (char const* const key : k_told_facts)
        run.facts[key] = fact_text(results.environment, key);

    for (std::size_t i = 1; i < results.engines.size(); ++i) {
        EngineRecord const& engine = results.engines[i];
        if (engine.control) continue; // native again: it has no history, it should be 1
        for (WorkloadRecord const& workload : results.workloads)
            for (Cell const& cell : results.cells) {
                if (cell.engine != engine.name || cell.workload != workload.name || !cell.deciding)
                    continue;
                if (cell.status == Status::unavailable) continue; // it was never meant to be there
                if (cell.comparison == Comparison::alone)
                    continue; // what a neighbour does is no cost
                Series series;
                series.key = {machine.id,
                              plain(workload.name),
                              plain(cell.metric),
                              plain(engine.name),
                              plain(cell.backend),
                              plain(workload.sha256),
                              workload.arguments,
                              workload.ops,
                              workload.kind,
                              cell.comparison,
                              cell.comparison == Comparison::ratio ? std::string()
                                                                   : plain(cell.unit)};
                series.points.push_back(point_of(cell, run.id));
                history.series.push_back(std::move(series));
            }
    }
    if (history.series.empty())
        return refused("nothing in it is compared with native", "a comparison with an engine");
    history.machines.push_back(std::move(machine));
    history.runs.push_back(std::move(run));
    history.sort();
    for (std::size_t i = 1; i < history.series.size(); ++i)
        if (history.series[i].key == history.series[i - 1].key)
            return refused("it has a cell twice: " + history.series[i].key.workload + " in " +
                               history.series[i].key.engine,
                           "the file as isobench wrote it");
    return history;
}

void append(History& history, History const& more) {
    for (Run const& run : more.runs) {
        if (history.run(run.id) != nullptr) continue;
        history.runs.push_back(run);
        if (history.machine(run.machine) == nullptr)
            history.machines.push_back(*more.machine(run.machine));
        for (Series const& series : more.series) {
            auto at = std::find_if(history.series.begin(), history.series.end(),
                                   [&](Series const& one) { return one.key == series.key; });
            if (at == history.series.end()) at = history.series.insert(at, {series.key, {}});
            for (Point const& point : series.points)
                if (point.run == run.id) at->points.push_back(point);
        }
    }
    history.sort();
}

} // namespace iso::bench::history
