#include "benchmarks/harness/comparison.hpp"
#include "benchmarks/harness/counts.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/run_plan.hpp"
#include "benchmarks/harness/table.hpp"
#include "benchmarks/harness/verbs.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <utility>

namespace iso::bench {

namespace {

/// Enough to see whether a count is the same every time.
constexpr std::uint64_t k_counted_runs = 3;

/// Where the results go, and the samples until then.
struct Sink {
    OutputFile file;
    std::optional<Journal> journal;

    Sink() = default;
    Sink(Sink&& other) noexcept
        : file(std::move(other.file))
        , journal(std::exchange(other.journal, std::nullopt)) {}
    Sink& operator=(Sink&&) = delete;
    /// A journal without a sample is of no use to anybody.
    ~Sink() {
        if (journal && !journal->has_samples()) (void)journal->remove();
    }

    /// Takes the options of the comparison that goes on, if one does.
    static Result<Sink> open(CompareOptions& options) {
        Sink sink;
        std::string const path = options.resume.empty() ? options.json : options.resume;
        if (path.empty() || path == "-") return sink;
        sink.file = TRY(OutputFile::prepare(path));
        if (!options.resume.empty()) {
            sink.journal = TRY(Journal::reopen(sink.file.path()));
            options = TRY(resumed_options(sink.journal->plan().options, options));
        } else if (sink.file.regular()) {
            sink.journal = TRY(Journal::create(sink.file.path()));
        }
        return sink;
    }

    Result<void> commit(Results const& results) {
        if (!file) return {};
        TRY(file.commit(to_json(results)));
        if (!journal) return {};
        Journal const done = std::move(*std::exchange(journal, std::nullopt));
        return done.remove();
    }
};

std::string shown(Results const& results, TableStyle const& style) {
    return results.counts ? render_counts(results, style) : render(results, style);
}

/// What an interrupted comparison has, and how it goes on.
int give_up(int signal, Compared* compared, Sink const& sink, CompareOptions const& options,
            Progress& progress) {
    bool const anything =
        compared != nullptr &&
        std::any_of(compared->results.workloads.begin(), compared->results.workloads.end(),
                    [](WorkloadRecord const& workload) { return workload.blocks != 0; });
    if (anything) {
        auto& warnings = compared->results.warnings;
        warnings.insert(warnings.begin(), "it was interrupted: this is a part of a comparison, of "
                                          "the blocks that were complete");
        int const out = options.json == "-" ? STDERR_FILENO : STDOUT_FILENO;
        std::fputs(shown(compared->results, TableStyle::of_terminal(out)).c_str(),
                   out == STDERR_FILENO ? stderr : stdout);
    }
    if (sink.journal && sink.journal->has_samples())
        progress.note(
            fmt::format("interrupted; isobench compare --resume {} goes on", options.json));
    else
        progress.note(anything ? "interrupted"
                               : "interrupted before the first block was complete: nothing is "
                                 "shown");
    return exit_code::from_signal(signal);
}

} // namespace

Result<int> verb_compare(CompareOptions const& asked) {
    CompareOptions options = asked;
    if (options.counts && !options.blocks) options.blocks = k_counted_runs;
    bool const json_to_stdout = options.json == "-";
    Interrupts interrupts = TRY(Interrupts::create()); // before there is a file to leave behind
    Sink sink = TRY(Sink::open(options));
    Progress progress;
    if (!options.resume.empty())
        progress.note(
            fmt::format("going on from {} samples", sink.journal->recorded().samples.size()));
    Lineup const lineup = TRY(Lineup::probe(options.engine_directory, options.engines, interrupts,
                                            PeerChoice::of(options)));
    if (interrupts.pending() != 0)
        return give_up(interrupts.pending(), nullptr, sink, options, progress);
    Compared compared = TRY(compare(options, lineup, interrupts, progress, {},
                                    sink.journal ? &*sink.journal : nullptr));
    if (compared.interrupted)
        return give_up(interrupts.pending(), &compared, sink, options, progress);
    std::string const table =
        shown(compared.results, TableStyle::of_terminal(json_to_stdout ? 2 : 1));
    std::fputs(table.c_str(), json_to_stdout ? stderr : stdout);
    if (json_to_stdout) {
        auto written = write_all(1, to_json(compared.results));
        if (!written) {
            written.error().op = "write(stdout)";
            return tl::unexpected<Error>(std::move(written.error()));
        }
    }
    TRY(sink.commit(compared.results));
    if (sink.file) fmt::print("written to {}\n", options.json);
    return compared.results.complete() ? exit_code::done : exit_code::no;
}

} // namespace iso::bench
