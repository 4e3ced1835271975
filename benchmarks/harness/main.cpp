#include "benchmarks/formats/formats.hpp"
#include "benchmarks/formats/verb_convert.hpp"
#include "benchmarks/harness/gate_command.hpp"
#include "benchmarks/harness/history_command.hpp"
#include "benchmarks/harness/verbs.hpp"
#include "benchmarks/report/verb_report.hpp"
#include "common/program.hpp"
#include "common/run_options.hpp"
#include "common/units.hpp"
#include "common/version.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>

namespace {

using namespace iso;
using namespace iso::bench;

/// Everything a command line can say.
struct Options {
    bool probe_json = false;
    bool list_json = false;
    bool list_markdown = false;
    PeersVerbOptions peers;
    RunVerbOptions run;
    CompareOptions compare;
    ReportOptions report;
    GateOptions gate;
    HistoryOptions history;
    ConvertOptions convert;
    Places places;
};

void declare_run(CLI::App& app, Options& options) {
    CLI::App& run = *app.add_subcommand(
        "run", "Run one workload, or any static ELF, in one engine and tell what happened");
    run.add_flag("--json", options.run.json,
                 "Print the sample as JSON instead of the program's output");
    run.add_flag("--pin", options.run.pin, "Run it on one CPU, and the harness on the others");
    add_duration(run, "--timeout", "End it after this long",
                 [&](std::uint64_t ns) { options.run.timeout_ns = ns; });
    run.footer("Usage: isobench run [OPTIONS] ENGINE WORKLOAD|PROGRAM [ARG...]\n"
               "The program's output goes to stdout and stderr, the report to stderr.\n"
               "Exit status: the program's own; 124 timed out, 125 the engine failed, 126 cannot "
               "execute,\n"
               "127 not found, 128+n killed by signal n.");
}

void declare_compare(CLI::App& app, Options& options) {
    CLI::App& compare = *app.add_subcommand(
        "compare", "Run the same bytes in every engine and say what each costs");
    CompareOptions& o = options.compare;
    compare.add_flag("--quick", o.quick, "Fewer operations and blocks: less than a minute");
    compare.add_option("--engines", o.engines, "Only these (native is always there)")
        ->delimiter(',')
        ->option_text("A,B")
        ->allow_extra_args(false);
    compare
        .add_flag("--peers{all}", o.peers,
                  "Beside them the peers that are here, all or some (isobench peers says which)")
        ->option_text("[=A,B]");
    compare
        .add_option("--workloads", o.workloads,
                    "Only these: names, groups, or all (isobench list says which)")
        ->delimiter(',')
        ->option_text("X,Y")
        ->allow_extra_args(false);
    compare.add_option("--require", o.required, "Fail when this engine cannot run here")
        ->delimiter(',')
        ->option_text("ENGINE")
        ->allow_extra_args(false);
    compare.add_option("--blocks", o.blocks, "Exactly so many blocks of each workload")
        ->check(CLI::Range(1, 100'000))
        ->option_text("N");
    compare.add_option("--seed", o.seed, "Of every random choice (1)")->option_text("S");
    CLI::Option* const json =
        compare
            .add_option("--json", o.json,
                        "Also write everything, raw samples included, to FILE (- is stdout)")
            ->option_text("FILE");
    compare
        .add_option("--resume", o.resume,
                    "Go on with the comparison that was to write FILE and was interrupted")
        ->option_text("FILE")
        ->excludes(json);
    compare.add_flag(
        "--pin,!--no-pin", o.pin,
        "Samples on one CPU, the harness on the others (the default with two CPUs or more)");
    compare.add_flag("--counts", o.counts,
                     "Count exits, hypercalls, system calls and faults instead of timing; exact");
    add_duration(compare, "--time-budget",
                 "Stop measuring after this long (quick 40 s, else 4 min)",
                 [&o](std::uint64_t ns) { o.time_budget_ns = ns; });
    add_duration(compare, "--timeout", "End a sample after this long; it counts as failed (30 s)",
                 [&o](std::uint64_t ns) { o.timeout_ns = ns; });
    compare.footer(
        "Usage: isobench compare [OPTIONS] [-- PROGRAM [ARG...]]\n"
        "With a PROGRAM, a static x86-64 ELF, that one is compared instead of the workloads.\n"
        "With --json each sample is also kept in FILE.samples until FILE is there; interrupted in\n"
        "whatever way, --resume FILE goes on, with the options of then.\n"
        "Exit status: 0 everything that was meant to run did and nothing is void, 1 not so,\n"
        "2 called wrongly, 130 interrupted.");
}

void declare_report(CLI::App& app, ReportOptions& o) {
    CLI::App& report =
        *app.add_subcommand("report", "Write result files as one page, with charts, to look at");
    report.add_option("files", o.files, "What compare --json wrote")->option_text("FILE...");
    report.add_option("--history", o.history, "Also, or only, what isobench history keeps in it")
        ->option_text("FILE.db");
    report.add_option("-o,--output", o.output, "Where the page goes (report.html; - is stdout)")
        ->option_text("FILE");
    report.footer(
        "The page is one HTML file that loads nothing and runs nothing. Several results "
        "stand beside\neach other; they are never averaged.\n"
        "Exit status: 0 written, 1 written, but not everything in the results ran, or not "
        "written,\n2 called wrongly, or a file that is no result of this version.");
}

void declare_peers(CLI::App& app, Options& options) {
    CLI::App& peers =
        *app.add_subcommand("peers", "Other engines, described in files: which are here, which "
                                     "are not and why, and what each isolates");
    CLI::Option* const as_json = peers.add_flag("--json", options.peers.json, "As JSON");
    peers
        .add_flag("--packages{all}", options.peers.packages,
                  "Only the Debian packages of those (all, or A,B) that are not installed")
        ->option_text("[=A,B]")
        ->excludes(as_json);
    peers.footer("Each peer that is here is tried with one run. Exit status: 0 told, 2 called "
                 "wrongly or a file is wrong.");
}

void declare_convert(CLI::App& app, ConvertOptions& options) {
    CLI::App& convert = *app.add_subcommand("convert", "A result file in another format");
    convert.add_option("FILE", options.file, "What isobench compare --json wrote")->required();
    convert
        .add_option("--format", options.format,
                    "table, csv, json, gbench, customsmaller, junit or markdown (table)")
        ->check(CLI::IsMember(format_names()))
        ->option_text("FORMAT");
    convert.add_option("-o,--output", options.output, "Write it to OUT")->option_text("OUT");
    convert.footer("gbench is Google Benchmark's JSON, for its compare.py; customsmaller is what\n"
                   "github-action-benchmark reads. Exit status: 0 done, 1 it cannot be written,\n"
                   "2 called wrongly, or the file is no result.");
}

void declare(CLI::App& app, Options& options) {
    app.set_version_flag("--version", std::string("isobench ") + k_version);
    app.require_subcommand(1);
    app.add_subcommand("probe", "What this machine and its engines can do, and what is missing")
        ->add_flag("--json", options.probe_json, "As JSON");
    CLI::App& list = *app.add_subcommand("list", "The workloads and the engines");
    CLI::Option* const as_json = list.add_flag("--json", options.list_json, "As JSON");
    list.add_flag("--markdown", options.list_markdown,
                  "The workloads as docs/workloads.md has them")
        ->excludes(as_json);
    declare_peers(app, options);
    declare_run(app, options);
    declare_compare(app, options);
    declare_report(app, options.report);
    declare_gate(app, options.gate);
    declare_history(app, options.history);
    declare_convert(app, options.convert);
    for (CLI::App* const verb : app.get_subcommands({})) {
        if (verb->get_name() == "gate" || verb->get_name() == "convert" ||
            verb->get_name() == "history")
            continue; // run none of here
        verb->add_option("--engine-dir", options.places.engines, "Where the engines' programs are")
            ->option_text("DIR");
        verb->add_option("--workload-dir", options.places.workloads, "Where the workloads are")
            ->option_text("DIR");
        verb->add_option("--peer-dir", options.places.peers, "Where the peers are described")
            ->option_text("DIR");
    }
}

/// Everything after `--` belongs to the program; CLI11 is not asked to tell its options from ours.
int cut_program(int argc, char** argv, CompareOptions& options) {
    bool is_compare = false;
    for (int i = 1; i < argc; ++i) {
        is_compare |= std::strcmp(argv[i], "compare") == 0;
        if (std::strcmp(argv[i], "--") != 0) continue;
        if (!is_compare) return argc;
        options.program.assign(argv + i + 1, argv + argc);
        return i;
    }
    return argc;
}

Result<void> find_places(Places& places) {
    std::string const own = TRY(own_directory());
    if (places.engines.empty()) places.engines = own;
    std::string const beside = own.substr(0, own.rfind('/'));
    if (places.workloads.empty()) places.workloads = beside + "/workloads";
    if (places.peers.empty()) places.peers = beside + "/peers";
    return {};
}

Result<int> dispatch(CLI::App& app, Options& options, RunOptions const& words) {
    TRY(find_places(options.places));
    if (app.got_subcommand("probe")) return verb_probe(options.places, options.probe_json);
    if (app.got_subcommand("list"))
        return verb_list(options.places, options.list_json, options.list_markdown);
    if (app.got_subcommand("peers")) return verb_peers(options.places, options.peers);
    if (app.got_subcommand("run")) {
        if (words.arguments.empty())
            return error("run " + words.program, "WORKLOAD or PROGRAM is missing",
                         "isobench run ENGINE WORKLOAD; isobench list");
        options.run.engine = words.program;
        options.run.program = words.arguments.front();
        options.run.arguments.assign(words.arguments.begin() + 1, words.arguments.end());
        return verb_run(options.places, options.run);
    }
    if (app.got_subcommand("report")) return verb_report(options.report);
    if (app.got_subcommand("gate")) return verb_gate(options.gate);
    if (app.got_subcommand("history")) return verb_history(options.history);
    if (app.got_subcommand("convert")) return verb_convert(options.convert);
    for (CLI::Option const* const option : app.get_subcommand("compare")->get_options())
        if (option->count() != 0) options.compare.given.push_back(option->get_name());
    options.compare.engine_directory = options.places.engines;
    options.compare.workload_directory = options.places.workloads;
    options.compare.peer_directory = options.places.peers;
    return verb_compare(options.compare);
}

/// Errors of `run` end as the contract says; of other verbs with 1, or with 2 for a wrong call.
int status_of(CLI::App const& app, Error const& problem) {
    if (app.got_subcommand("run"))
        return problem.exit_status == exit_code::usage ? exit_code::engine_failed
                                                       : problem.exit_status;
    if (app.got_subcommand("gate")) return exit_code::gate_not_run; // nothing was said of head
    switch (problem.exit_status) {
    case exit_code::usage:
    case exit_code::not_found:
    case exit_code::cannot_execute:
        return exit_code::usage;
    default:
        return exit_code::no;
    }
}

/// What a verb said may still be in the buffer: only now is it known whether it arrived.
Result<int> finish(Result<int> status) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    if (!status) return status; // that came first
    return sys_error("write(stdout)", "an output that has room and is read");
}

int isobench_main(int argc, char** argv) {
    CLI::App app("What isolation costs: the same bytes in every engine", "isobench");
    Options options;
    RunOptions words;
    declare(app, options);
    int const ours = cut_program(argc, argv, options.compare);
    CommandLine const line = iso::parse_command_line(app, ours, argv, &words);
    if (!line.proceed) return line.exit_status;
    auto status = [&]() -> Result<int> {
        try {
            return finish(dispatch(app, options, words));
        } catch (std::system_error const& problem) { // fmt::print: the output did not take it
            errno = problem.code().value();
            return sys_error("write(stdout)", "an output that has room and is read");
        }
    }();
    if (status) return *status;
    iso::print_error("isobench", status.error());
    return status_of(app, status.error());
}

} // namespace

int main(int argc, char** argv) {
    try {
        return isobench_main(argc, argv);
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "isobench: %s\n", problem.what());
        return exit_code::no;
    }
}
