#include "benchmarks/harness/comparison.hpp"
#include "benchmarks/harness/counts.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/table.hpp"
#include "benchmarks/harness/verbs.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_counted_runs =
    3; ///< enough to see whether a count is the same every time

} // namespace

Result<int> verb_compare(CompareOptions const& asked) {
    CompareOptions options = asked;
    if (options.counts && !options.blocks) options.blocks = k_counted_runs;
    bool const json_to_stdout = options.json == "-";
    Interrupts interrupts = TRY(Interrupts::create()); // before there is a file to leave behind
    OutputFile file;
    if (!options.json.empty() && !json_to_stdout) file = TRY(OutputFile::prepare(options.json));
    Progress progress;
    Lineup const lineup = TRY(Lineup::probe(options.engine_directory, options.engines, interrupts,
                                            PeerChoice::of(options)));
    auto give_up = [&] {
        progress.note(
            "interrupted: nothing is shown or written, as a part of a comparison is none");
        return exit_code::from_signal(interrupts.pending());
    };
    if (interrupts.pending() != 0) return give_up();
    Compared const compared = TRY(compare(options, lineup, interrupts, progress));
    if (compared.interrupted) return give_up();
    TableStyle const style = TableStyle::of_terminal(json_to_stdout ? 2 : 1);
    std::string const table =
        options.counts ? render_counts(compared.results, style) : render(compared.results, style);
    std::fputs(table.c_str(), json_to_stdout ? stderr : stdout);
    std::string const json = to_json(compared.results);
    if (json_to_stdout) {
        auto written = write_all(1, json);
        if (!written) {
            written.error().op = "write(stdout)";
            return tl::unexpected<Error>(std::move(written.error()));
        }
    }
    if (file) {
        TRY(file.commit(json));
        fmt::print("written to {}\n", options.json);
    }
    return compared.results.complete() ? exit_code::done : exit_code::no;
}

} // namespace iso::bench
