#include "benchmarks/formats/verb_convert.hpp"

#include "benchmarks/formats/formats.hpp"
#include "benchmarks/harness/counts.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_file.hpp"

#include <fmt/format.h>

#include <optional>

namespace iso::bench {

Result<int> verb_convert(ConvertOptions const& options) {
    std::optional<Interrupts> interrupts;
    OutputFile file;
    if (!options.output.empty()) {
        interrupts.emplace(TRY(Interrupts::create())); // before there is a file to leave behind
        file = TRY(OutputFile::prepare(options.output));
    }
    Results const results = TRY(read_results(options.file));
    // Counted runs have times that mean nothing: they leave as counts, or as the samples they are.
    bool const raw = options.format == "csv" || options.format == "json";
    if (results.counts && !raw && options.format != "table")
        return tl::unexpected<Error>(std::move(error(options.file, "it holds counts, not times",
                                                     "--format table, csv or json")
                                                   .value())
                                         .with_exit(exit_code::usage));
    std::string const text = results.counts && !raw
                                 ? render_counts(results, TableStyle::of_terminal(1))
                                 : format_results(results, options.format);
    if (interrupts && interrupts->pending() != 0)
        return exit_code::from_signal(interrupts->pending());
    if (file)
        TRY(file.commit(text));
    else
        fmt::print("{}", text);
    return exit_code::done;
}

} // namespace iso::bench
