#include "isolate/jail.hpp"
#include "isolate/run_spec.hpp"

namespace iso::jail {

EngineProbe probe() {
    // The honest question is the thing itself: a jail is made for a program that ends at once.
    JailOptions options;
    options.run.program = "/proc/self/exe";
    options.spec = spec_from(options.run);
    options.rehearsal = true;
    RunReport const report = run(options);
    EngineProbe probe{report.ended == Ended::exited && report.status == 0, report.backend, {}, {}};
    if (report.failure) {
        probe.reason = report.failure->op + ": " + report.failure->cause;
        probe.next_step = report.failure->hint;
    } else if (!probe.usable) {
        probe.reason = "a trial jail did not end well";
        probe.next_step = "isolate run --explain -- PROGRAM";
    } else if (report.facts.contains("refused")) {
        probe.reason = "/sys is empty inside: the kernel refused a new one";
    }
    return probe;
}

} // namespace iso::jail
