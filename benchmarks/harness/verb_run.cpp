#include "benchmarks/harness/comparison.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/row.hpp"
#include "benchmarks/harness/verbs.hpp"
#include "common/fd.hpp"
#include "common/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace iso::bench {

namespace {

double to_ms(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

/// A workload's name, a path, or a program in PATH.
Result<std::string> resolve(Places const& places, std::string const& typed) {
    Workload const* const workload = find_workload(typed);
    std::string const built =
        places.workloads + "/" + (workload == nullptr ? typed : std::string(workload->file()));
    if (workload != nullptr && ::access(built.c_str(), X_OK) == 0) return find_program(built);
    auto found = find_program(typed);
    if (found) return found;
    std::vector<std::string> known;
    for (Workload const& one : workloads())
        known.emplace_back(one.name);
    std::string const meant = closest(typed, known);
    if (!meant.empty())
        found.error().hint = "did you mean the workload '" + meant + "'? " + found.error().hint;
    return found;
}

void print_phases(Sample const& sample) {
    std::pair<char const*, std::optional<std::uint64_t>> const phases[] = {
        {"the engine begins", sample.phases.create},
        {"isolation stands, program is loaded", sample.phases.load},
        {"control passes to the program", sample.phases.enter},
        {"first instruction (the program's word)", sample.own && sample.own->entry_ns != 0
                                                       ? std::optional(sample.own->entry_ns)
                                                       : std::nullopt},
        {"the engine learns that it ended", sample.phases.exit},
        {"everything is torn down", sample.phases.destroy}};
    fmt::print(stderr, "  {:<40} {:>9}\n", "when, ms after the start", "");
    for (auto const& [title, when] : phases)
        if (when && *when >= sample.at_ns)
            fmt::print(stderr, "    {:<38} {:>9.3f}\n", title, to_ms(*when - sample.at_ns));
    fmt::print(stderr, "    {:<38} {:>9.3f}\n", "the process is gone", to_ms(sample.wall_ns));
}

void print_report(Sample const& sample) {
    fmt::print(stderr, "\n{}{}: {}\n", sample.arm,
               sample.backend.empty() ? "" : " (" + sample.backend + ")",
               sample.good() ? fmt::format("exit status {}", sample.exit_status) : sample.failure);
    fmt::print(stderr, "  {:<40} {:>9.3f} ms\n", "wall time", to_ms(sample.wall_ns));
    fmt::print(stderr, "  {:<40} {:>9.3f} ms ({:.3f} user, {:.3f} system)\n",
               "CPU time of the process tree", to_ms(sample.cpu_ns()), to_ms(sample.user_ns),
               to_ms(sample.system_ns));
    if (sample.own && sample.own->ops != 0)
        fmt::print(stderr, "  {:<40} {:>9.2f} ns ({} operations)\n",
                   "one operation, by its own clock",
                   static_cast<double>(sample.own->ns) / static_cast<double>(sample.own->ops),
                   sample.own->ops);
    print_phases(sample);
    if (!sample.counters.empty()) fmt::print(stderr, "  counters\n");
    for (auto const& [name, value] : sample.counters)
        if (value != 0) fmt::print(stderr, "    {:<38} {:>9}\n", name, value);
    for (auto const& [name, value] : sample.facts)
        fmt::print(stderr, "    {:<38} {}\n", name, value);
}

} // namespace

Result<int> verb_run(Places const& places, RunVerbOptions const& options) {
    Interrupts interrupts = TRY(Interrupts::create());
    Lineup const lineup = TRY(Lineup::probe(places.engines, {options.engine}, interrupts));
    if (int const signal = interrupts.pending(); signal != 0) return exit_code::from_signal(signal);
    auto const arm = std::find_if(lineup.arms.begin(), lineup.arms.end(),
                                  [&](Arm const& one) { return one.name == options.engine; });
    if (!arm->probe.usable)
        return error(options.engine, "cannot run here: " + arm->probe.reason, arm->probe.next_step);
    SampleRequest request;
    request.engine = arm->engine;
    request.program = TRY(resolve(places, options.program));
    if (Workload const* const workload = find_workload(options.program)) {
        request.arguments = split_words(workload->arguments);
        request.on_disk = workload->on_disk;
    }
    request.arguments.insert(request.arguments.end(), options.arguments.begin(),
                             options.arguments.end()); // of two that differ the later one counts
    request.timeout_ns = options.timeout_ns;
    request.own_workload = false; // it is shown, not judged

    request.cpu = Placement::choose(options.pin).sample_cpu;
    Taken taken = TRY(take_sample(request, interrupts));
    if (auto own = parse_own_output(taken.raw.out)) taken.sample.own = std::move(*own);
    if (options.json) {
        taken.sample.workload = request.program;
        fmt::print("{}", to_json(taken.sample));
    } else {
        TRY(write_all(STDOUT_FILENO, taken.raw.out));
        TRY(write_all(STDERR_FILENO, taken.raw.err));
        if (taken.raw.out_bytes > taken.raw.out.size())
            fmt::print(stderr, "\n(the first {} of {} bytes of stdout are shown)\n",
                       taken.raw.out.size(), taken.raw.out_bytes);
        print_report(taken.sample);
    }
    if (taken.raw.interrupted) return exit_code::from_signal(interrupts.pending());
    if (taken.raw.flooded) return exit_code::engine_failed;
    return taken.sample.exit_status;
}

} // namespace iso::bench
