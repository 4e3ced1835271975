#include "common/exit.hpp"
#include "common/run_options.hpp"
#include "common/version.hpp"
#include "isolate/audit/audit_verb.hpp"
#include "isolate/file_spec.hpp"
#include "isolate/image/image.hpp"
#include "isolate/jail.hpp"
#include "isolate/life/commands.hpp"
#include "isolate/oci/verbs.hpp"
#include "isolate/plain_line.hpp"
#include "isolate/run_spec.hpp"
#include "isolate/spec/face_verbs.hpp"
#include "isolate/spec/key_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

namespace {

using namespace iso;

void print_stats(RunReport const& report, StatsFormat format) {
    if (format == StatsFormat::json) {
        std::fputs(to_json(report).c_str(), stderr);
        return;
    }
    fmt::print(stderr, "isolate: {} ({}), exit status {}\n", to_string(report.ended),
               report.backend, report.exit_status());
    for (auto const& [name, value] : report.counters)
        fmt::print(stderr, "  {:<28} {:>14}\n", name, value);
    for (auto const& [name, value] : report.facts)
        fmt::print(stderr, "  {:<28} {}\n", name, value);
}

/// Says how a run ended, to everybody who asked for it. Returns what to end with.
int tell(jail::JailOptions const& options, RunReport const& report) {
    if (report.failure) print_error("isolate", *report.failure);
    if (options.run.stats != StatsFormat::none) print_stats(report, options.run.stats);
    if (auto written = write_report(options.run.report_fd, report); !written) {
        print_error("isolate", written.error());
        return exit_code::engine_failed;
    }
    return report.exit_status();
}

int run_verb(jail::JailOptions const& options) {
    return tell(options, jail::run(options));
}

/// What `run` and `create` have beside the options that all engines share.
struct JailLine {
    std::string file; ///< a jail file
    std::string hostname = jail::JailSpec().hostname;
    std::uint64_t tasks = jail::k_usual_tasks;
    jail::GroupBackendKind group_backend = jail::k_usual_group_backend;
    bool dry_run = false;
    std::vector<jail::KeyValue> said;
};

void add_jail_options(CLI::App& command, RunOptions& options, JailLine& line) {
    add_run_options(command, options);
    // Of isolate's more than a directory can be made a root.
    CLI::Option* const root = command.get_option("--root");
    root->get_validator()->active(false);
    root->description("A host directory to use as the root, read-only unless --root-mode says "
                      "otherwise; a tar archive; an OCI image layout")
        ->option_text("DIR|FILE|DIR:NAME");
    command
        .add_option_function<std::string>(
            "--cgroup-backend",
            [&line](std::string const& text) {
                line.group_backend = text == "direct" ? jail::GroupBackendKind::direct
                                                      : jail::GroupBackendKind::libcgroup;
            },
            "By what control groups are made: direct writes, or libcgroup")
        ->type_name("BACKEND")
        ->check(CLI::IsMember({"direct", "libcgroup"}));
    command.add_option("--file", line.file, "A jail file (docs/jail-file.md); options add to it")
        ->option_text("FILE");
    command.add_option("--hostname", line.hostname, "The host name inside")->type_name("NAME");
    command.add_option("--pids", line.tasks, "The most processes and threads inside")
        ->type_name("N")
        ->check(CLI::Range(2, 4194304))
        ->capture_default_str();
}

/// By what an image says about the process, where the line does not.
Result<void> complete(CLI::App const& command, jail::JailSpec& spec) {
    if (!jail::is_image(spec.root)) return {};
    return jail::take_image_defaults(
        spec, {.user = command.count("--user") > 0, .directory = command.count("--workdir") > 0});
}

/// The jail that the line describes, with its file if it names one.
Result<void> take_line(CLI::App const& command, JailLine const& line, jail::JailOptions& options) {
    options.group_backend = line.group_backend;
    options.dry_run = line.dry_run;
    jail::JailSpec& spec = options.spec;
    if (line.file.empty()) {
        spec = jail::spec_from(options.run);
        spec.hostname = line.hostname;
        spec.limits.tasks = line.tasks;
        TRY(jail::take_said(line.said, spec));
        TRY(jail::recognise_root(spec.root));
        if (!jail::is_image(spec.root)) return {};
        if (command.count("--host-program") == 0) spec.process.from_host = false;
        return complete(command, spec);
    }
    spec = TRY(jail::spec_from_file(line.file, options.run));
    if (command.count("--hostname") > 0) spec.hostname = line.hostname;
    if (command.count("--pids") > 0) spec.limits.tasks = line.tasks;
    bool const from_host = spec.process.from_host; // as the file says, unless the line does
    TRY(jail::take_said(line.said, spec));
    if (command.count("--host-program") == 0) spec.process.from_host = from_host;
    TRY(jail::recognise_root(spec.root));
    return complete(command, spec);
}

/// After the options above: those that the table of keys has and nobody else has declared.
void add_model_options(CLI::App& command, JailLine& line) {
    command.add_flag("--dry-run", line.dry_run,
                     "Tell each step and what comes of it, on stderr, and make nothing");
    jail::add_key_options(command, line.said);
}

/// Whether a word stands on the command line. The library compares each new option with all those
/// that its verb has, so the hundred options of a jail are declared only for the verb that may be
/// meant.
bool stands(int argc, char** argv, std::string_view word) {
    return std::find(argv + 1, argv + argc, word) != argv + argc;
}

int probe_verb(bool as_json) {
    EngineProbe const probe = jail::probe();
    if (as_json) {
        std::fputs(to_json("isolate", probe).c_str(), stdout);
    } else if (probe.usable) {
        fmt::print("isolate: works here, backend {}{}{}\n", probe.backend,
                   probe.reason.empty() ? "" : "; ", probe.reason);
    } else {
        fmt::print("isolate: does not work here: {}{}{}\n", probe.reason,
                   probe.next_step.empty() ? "" : "; try: ", probe.next_step);
    }
    return probe.usable ? exit_code::done : exit_code::no;
}

int isolate_main(int argc, char** argv) {
    jail::JailOptions options;
    char* const last = argv[argc - 1];
    options.command_line = {argv[0], static_cast<std::size_t>(last + std::strlen(last) - argv[0])};
    if (jail::read_plain_line(argc, argv, options.run)) {
        options.spec = jail::spec_from(options.run);
        return run_verb(options);
    }

    CLI::App app("Runs a program in a jail: all eight namespaces, a root of its own, no "
                 "capabilities, a system call filter.",
                 "isolate");
    app.set_version_flag("--version", std::string("isolate ") + k_version);
    app.require_subcommand(1);

    jail::LifeOptions life;
    life.run = &options.run;
    jail::ContainerLine container;
    container.command_line = options.command_line;
    jail::add_engine_options(app, container);
    JailLine jail_line;
    CLI::App& run = *app.add_subcommand("run", "Run a program in a jail");
    add_jail_options(run, options.run, jail_line);
    jail::add_naming_options(run, life);
    run.add_flag("-d,--detach", life.detach,
                 "Come back when the program runs; the jail stays in the background");
    CLI::App& create =
        *app.add_subcommand("create", "Make a jail whose program waits for `isolate start`");
    add_jail_options(create, options.run, jail_line);
    jail::add_naming_options(create, life);
    jail::add_life_verbs(app, life);
    jail::add_bundle_options(run, container);
    jail::add_bundle_options(create, container);
    if (stands(argc, argv, "run")) add_model_options(run, jail_line);
    if (stands(argc, argv, "create")) add_model_options(create, jail_line);

    jail::FaceVerbs faces;
    jail::add_face_verbs(app, faces);
    jail::add_engine_verbs(app, container);

    jail::AuditLine audit_line;
    CLI::App& audit = *app.add_subcommand("audit", "Try every way out from inside of a jail");
    add_jail_options(audit, options.run, jail_line);
    if (stands(argc, argv, "audit")) jail::add_key_options(audit, jail_line.said);
    jail::add_audit_options(audit, audit_line);

    bool as_json = false;
    CLI::App& probe = *app.add_subcommand("probe", "Say whether jails can be made here");
    probe.add_flag("--json", as_json, "As one line of JSON");

    CommandLine const line = parse_command_line(app, argc, argv, &options.run);
    if (!line.proceed) return line.exit_status;
    if (auto opened = jail::open_engine_log(container.log); !opened) {
        print_error("isolate", opened.error());
        return exit_code::no;
    }
    if (auto const status = jail::run_face_verb(app, faces)) return *status;
    if (auto const status = jail::run_engine_verb(app, container, life)) return *status;
    if (probe.parsed()) return probe_verb(as_json);
    if (!run.parsed() && !create.parsed() && !audit.parsed()) return jail::run_life_verb(app, life);
    if (!container.bundle.empty()) return jail::container_verb(container, life, run.parsed());
    if (audit.parsed()) options.run.program = "battery";
    if (audit.parsed() && jail::contradicts(audit, audit_line)) {
        print_error("isolate",
                    error("audit " + audit_line.name, "it lives: its options are what they are",
                          "audit NAME alone, or audit with options")
                        .value());
        return exit_code::usage;
    }
    if (auto taken = take_line(*app.get_subcommands().front(), jail_line, options); !taken) {
        print_error("isolate", taken.error());
        return audit.parsed() ? exit_code::usage : exit_code::engine_failed;
    }
    if (audit.parsed())
        return jail::audit_verb(audit_line, life.state, std::move(options), jail_line.said,
                                run_verb);
    if (options.dry_run) return run_verb(options);
    if (life.name.empty()) life.name = options.spec.name;
    if (!create.parsed() && !jail::is_named(life)) return run_verb(options);
    return jail::run_named(options, life, create.parsed(),
                           [&](RunReport const& report) { return tell(options, report); });
}

} // namespace

int main(int argc, char** argv) {
    try {
        return isolate_main(argc, argv);
    } catch (std::exception const& problem) {
        fmt::print(stderr, "isolate: {}\n", problem.what());
        return iso::exit_code::engine_failed;
    }
}
