#include "benchmarks/harness/environment.hpp"
#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/verbs.hpp"

#include <fmt/format.h>

namespace iso::bench {

namespace {

/// The long list of mitigations is for the file; a person wants to know which hurt.
bool is_worth_a_line(Fact const& fact) {
    if (!fact.key.starts_with("mitigation.")) return true;
    return fact.text.starts_with("Mitigation") || fact.text.starts_with("Vulnerable");
}

} // namespace

Result<int> verb_probe(Places const& places, bool json) {
    Environment const environment = Environment::capture();
    Interrupts interrupts = TRY(Interrupts::create());
    Lineup const lineup = TRY(Lineup::probe(places.engines, {}, interrupts));
    if (int const signal = interrupts.pending(); signal != 0) return exit_code::from_signal(signal);
    if (json) {
        fmt::print("{}", probe_json(environment, lineup));
        return exit_code::done;
    }
    fmt::print("The machine\n");
    for (Fact const& fact : environment.facts)
        if (is_worth_a_line(fact)) fmt::print("  {:<32} {}\n", fact.title, fact.text);
    fmt::print("\nThe engines\n");
    for (Arm const& arm : lineup.arms) {
        if (arm.control) continue;
        std::string const technique(arm.engine->technique());
        if (arm.probe.usable) {
            fmt::print("  {:<14} usable       {} ({})\n", arm.name, arm.probe.backend,
                       technique == "none" ? "the same bytes without isolation" : technique);
            if (!arm.probe.reason.empty()) fmt::print("  {:27} {}\n", "", arm.probe.reason);
        } else {
            fmt::print("  {:<14} not usable   {}\n", arm.name, arm.probe.reason);
            if (!arm.probe.next_step.empty())
                fmt::print("  {:27} try: {}\n", "", arm.probe.next_step);
        }
    }
    if (!environment.warnings.empty()) fmt::print("\nTo keep in mind\n");
    for (std::string const& warning : environment.warnings)
        fmt::print("  * {}\n", warning);
    return exit_code::done;
}

} // namespace iso::bench
