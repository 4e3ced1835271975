#include "benchmarks/harness/gate_command.hpp"

#include "common/units.hpp"

#include <cstdlib>

namespace iso::bench {

namespace {

std::uint64_t duration(char const* option, std::string const& text) {
    auto const value = parse_duration_ns(text);
    if (!value)
        throw CLI::ValidationError(option, value.error().cause + "; write " + value.error().hint);
    if (*value == 0) throw CLI::ValidationError(option, "0 is no time at all");
    return *value;
}

/// "1.5%", "1.5 %" or "0.015" as 0.015.
double share(char const* option, std::string text) {
    char* end = nullptr;
    double value = std::strtod(text.c_str(), &end);
    std::string rest(end);
    rest.erase(0, rest.find_first_not_of(' ') == std::string::npos ? rest.size()
                                                                   : rest.find_first_not_of(' '));
    if (end == text.c_str() || (!rest.empty() && rest != "%"))
        throw CLI::ValidationError(option, "'" + text + "' is no share; write 1.5% or 0.015");
    if (rest == "%") value /= 100;
    if (!(value > 0 && value < 10))
        throw CLI::ValidationError(option, "'" + text + "' is not between 0 and 1000 %");
    return value;
}

} // namespace

void add_share(CLI::App& verb, char const* name, std::string const& help, double& target) {
    verb.add_option_function<std::string>(
            name, [name, &target](std::string const& text) { target = share(name, text); }, help)
        ->option_text("PERCENT");
}

CLI::Option* add_duration(CLI::App& verb, char const* name, std::string const& help,
                          std::function<void(std::uint64_t)> const& set) {
    return verb
        .add_option_function<std::string>(
            name, [=](std::string const& text) { set(duration(name, text)); }, help)
        ->option_text("DURATION");
}

void declare_gate(CLI::App& app, GateOptions& options) {
    CLI::App& gate =
        *app.add_subcommand("gate", "Say whether a change made anything slower; for CI");
    GateOptions& o = options;
    auto list = [&](char const* name, std::vector<std::string>& target, char const* help,
                    char const* text) {
        gate.add_option(name, target, help)
            ->delimiter(',')
            ->option_text(text)
            ->allow_extra_args(false);
    };
    char const* const side = "A result file, a build tree, or a git revision";
    gate.add_option("--base", o.base, std::string(side) + ": what it was")
        ->required()
        ->option_text("A");
    gate.add_option("--head", o.head, std::string(side) + ": what it is now")
        ->required()
        ->option_text("B");
    list("--engines", o.compare.engines, "Only these (else all but native that work here)", "A,B");
    list("--workloads", o.compare.workloads, "Only these: names, groups, or all", "X,Y");
    gate.add_flag(
        "--counts", o.counts,
        "Judge exits, hypercalls, system calls and faults: exact, and independent of load");
    gate.add_flag("--quick", o.compare.quick, "Fewer operations in a sample");
    add_share(gate, "--min-effect", "A smaller slowdown is none (1.5%)", o.rule.min_effect);
    add_share(gate, "--noise-limit", "Say so when such a slowdown of CPU time could hide (3%)",
              o.rule.noise_limit);
    add_share(gate, "--wall-noise-limit", "The same of wall time: start-up, system calls (10%)",
              o.rule.wall_noise_limit);
    gate.add_option("--blocks", o.blocks, "At most so many of each workload (120)")
        ->check(CLI::Range(6, 100'000))
        ->option_text("N");
    gate.add_option("--seed", o.compare.seed, "Of every random choice (1)")->option_text("S");
    add_duration(gate, "--time-budget", "Stop measuring after this long (10 min)",
                 [&o](std::uint64_t ns) { o.compare.time_budget_ns = ns; });
    add_duration(gate, "--timeout", "End a sample after this long; it counts as failed (30 s)",
                 [&o](std::uint64_t ns) { o.compare.timeout_ns = ns; });
    gate.add_option("--build-dir", o.build_directory, "Build revisions in here, and keep them")
        ->check(CLI::ExistingDirectory)
        ->option_text("DIR");
    gate.add_option("--format", o.format, "table, markdown, junit or json (table)")
        ->check(CLI::IsMember({"table", "markdown", "junit", "json"}))
        ->option_text("FORMAT");
    gate.add_option("-o,--output", o.output, "Write the verdict to FILE")->option_text("FILE");
    gate.add_option("--report", o.reports,
                    "Also write the verdict to FILE: .md, .xml (JUnit), .json; may be repeated")
        ->option_text("FILE")
        ->allow_extra_args(false);
    gate.add_option("--json", o.compare.json, "Also write the run, raw samples included, to FILE")
        ->option_text("FILE");
    gate.add_flag(
        "--pin,!--no-pin", o.compare.pin,
        "Samples on one CPU, the harness on the others (the default with two CPUs or more)");
    add_share(gate, "--inject-slowdown", "For trying the gate: head does so much more work",
              o.inject);
    constexpr std::uint64_t k_ten_minutes = 600'000'000'000;
    o.compare.time_budget_ns = k_ten_minutes;
    gate.footer(
        "Two trees or revisions are measured side by side in one run, each block holding base,\n"
        "base again and head; how much base differs from itself sets what counts. Two result\n"
        "files are compared through the native runs in each.\n"
        "Exit status: 0 nothing got slower, 1 something did, 2 something did not run,\n"
        "3 too noisy to say, 130 interrupted.");
}

} // namespace iso::bench
