#include "common/machine/conclude.hpp"

#include "common/clock.hpp"
#include "common/machine/counters.hpp"
#include "common/machine/trace.hpp"

namespace iso {

int conclude(RunReport& report, Result<void> done, RunOptions const& options) {
    report.phases.destroy = monotonic_ns();
    if (!done) {
        report.ended = Ended::engine_failed;
        report.failure = std::move(done).error();
    }
    if (report.failure) print_error(report.engine, *report.failure);
    if (options.stats != StatsFormat::none) say(format_stats(report, options.stats));
    if (auto const written = write_report(options.report_fd, report); !written) {
        print_error(report.engine, written.error());
        return exit_code::engine_failed;
    }
    return report.exit_status();
}

} // namespace iso
