#include "benchmarks/report/verb_report.hpp"

#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/report/inputs.hpp"
#include "benchmarks/report/over_time.hpp"
#include "benchmarks/report/page.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>

#include <optional>

namespace iso::bench {

Result<int> verb_report(ReportOptions const& options) {
    bool const to_stdout = options.output == "-";
    if (options.files.empty() && options.history.empty())
        return tl::unexpected<Error>(Error{"report", "there is nothing to show",
                                           "isobench report FILE..., or --history FILE.db", 0,
                                           exit_code::usage});
    std::optional<Interrupts> interrupts;
    OutputFile file;
    if (!to_stdout) {
        interrupts.emplace(TRY(Interrupts::create())); // before there is a file to leave behind
        file = TRY(OutputFile::prepare(options.output));
    }
    auto const references = TRY(report::References::built_in());
    auto const inputs = TRY(report::read_inputs(options.files));
    std::optional<report::OverTime> past;
    if (!options.history.empty()) past = TRY(report::OverTime::read(options.history));
    std::string const page = report::page(inputs, references, past ? &*past : nullptr);
    if (interrupts && interrupts->pending() != 0)
        return exit_code::from_signal(interrupts->pending());
    if (to_stdout) {
        auto written = write_all(1, page);
        if (!written) {
            written.error().op = "write(stdout)";
            return tl::unexpected<Error>(std::move(written.error()));
        }
    } else {
        TRY(file.commit(page));
        fmt::print("written to {}\n", options.output);
    }
    int status = exit_code::done;
    for (report::Input const& input : inputs) {
        if (input.results.complete()) continue;
        fmt::print(stderr, "isobench: {}: not everything in it ran; the report says what and why\n",
                   input.name);
        status = exit_code::no;
    }
    return status;
}

} // namespace iso::bench
