#include "benchmarks/harness/history_command.hpp"

#include "benchmarks/harness/gate_command.hpp"

namespace iso::bench {

namespace {

void add_list(CLI::App& verb, char const* name, std::vector<std::string>& target, char const* help,
              char const* text) {
    verb.add_option(name, target, help)->delimiter(',')->option_text(text)->allow_extra_args(false);
}

void add_choice(CLI::App& verb, HistoryOptions& o) {
    add_list(verb, "--engines", o.engines, "Only these", "A,B");
    add_list(verb, "--workloads", o.workloads, "Only these, by name", "X,Y");
    verb.add_option("--machine", o.machine, "Only this one: its id, or the beginning of it")
        ->option_text("ID");
}

void add_rule(CLI::App& verb, HistoryOptions& o) {
    add_share(verb, "--min-effect", "A smaller change is none (1.5%)", o.rule.min_effect);
    add_share(verb, "--level", "Of the permutation test of each series (1%)", o.rule.points.level);
    verb.add_option("--newest", o.rule.newest,
                    "A change is news in so many of the newest runs (10)")
        ->check(CLI::Range(2, 1'000'000))
        ->option_text("N");
    verb.add_option("--seed", o.rule.points.seed, "Of the permutations (1)")->option_text("S");
}

CLI::App& add_verb(CLI::App& history, HistoryOptions& o, char const* name, char const* help) {
    CLI::App& verb = *history.add_subcommand(name, help);
    verb.callback([&o, name] { o.verb = name; });
    verb.add_option("--db", o.db, "The history's file (history.db)")
        ->option_text("FILE.db")
        ->check([](std::string const& text) {
            return text.empty() ? std::string("a name is missing") : std::string();
        });
    return verb;
}

} // namespace

void declare_history(CLI::App& app, HistoryOptions& o) {
    CLI::App& history =
        *app.add_subcommand("history", "Results over time, in one file, and where they change");
    history.require_subcommand(1);

    CLI::App& add = add_verb(history, o, "add", "Add results; the same result is added once");
    add.add_option("FILE", o.files, "What isobench compare --json wrote")
        ->required()
        ->option_text("...");
    add.add_option("--commit", o.commit, "Of what was measured: a revision of git, or a name")
        ->option_text("REV");
    add.add_option("--date", o.date,
                   "Their place in time instead of when they were measured: 2026-01-02, or as\n"
                   "git log -1 --format=%cI prints it")
        ->option_text("DATE");
    add.footer(
        "Exit status: 0 added, or there already; 1 added, but not everything in the results "
        "ran, or\nnot written; 2 called wrongly, or a file that is no result or no history.");

    add_verb(history, o, "list", "The runs that are in it");

    CLI::App& show = add_verb(history, o, "show", "Each series as a line, and its changes");
    add_choice(show, o);
    add_rule(show, o);
    show.add_flag("--all", o.superseded,
                  "Also series that ended because the bytes, the arguments or the backend changed");

    CLI::App& changes = add_verb(history, o, "changes", "What changed in the newest runs; for CI");
    add_choice(changes, o);
    add_rule(changes, o);
    changes.add_option("--format", o.format, "table, markdown or json (table)")
        ->check(CLI::IsMember({"table", "markdown", "json"}))
        ->option_text("FORMAT");
    changes.add_option("-o,--output", o.output, "Write it to OUT")->option_text("OUT");
    changes.footer("Exit status: 0 nothing got dearer, 1 something did, 2 called wrongly, or no "
                   "history,\n3 too few runs to say.");

    add_verb(history, o, "export", "The whole history as text, for a branch or another program")
        .add_option("-o,--output", o.output, "Write it to OUT.json")
        ->option_text("OUT.json");

    CLI::App& import = add_verb(history, o, "import", "Add what export wrote");
    import.add_option("FILE", o.files, "What isobench history export wrote")
        ->required()
        ->option_text("...");

    CLI::App& remove = add_verb(history, o, "remove", "Remove runs, and with them their points");
    remove.add_option("RUN", o.runs, "Its id, or the beginning of it (isobench history list)")
        ->required()
        ->option_text("...");
    history.footer(
        "A series is one cell of the table on one machine, with the same bytes, arguments "
        "and backend;\nits points are ratios to native in the same block. Changes are "
        "found by E-divisive.");
}

} // namespace iso::bench
