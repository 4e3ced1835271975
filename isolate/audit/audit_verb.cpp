#include "isolate/audit/audit_verb.hpp"

#include "common/exit.hpp"
#include "isolate/audit/asked_for.hpp"
#include "isolate/audit/audit.hpp"
#include "isolate/audit/battery_file.hpp"
#include "isolate/audit/report.hpp"
#include "isolate/life/exec.hpp"
#include "isolate/spec/spec_json.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

namespace iso::jail {

namespace {

/// Ours, or those by which no jail is described.
bool describes_no_jail(std::string const& name) {
    for (char const* const known : {"--help", "--format", "--strict", "--explain", "NAME"})
        if (name == known) return true;
    return false;
}

int told(Error const& error) {
    print_error("isolate", error);
    return error.exit_status == exit_code::usage ? exit_code::usage : exit_code::engine_failed;
}

int tell(std::vector<Outcome> const& outcomes, AuditLine const& line, bool explain,
         std::string const& jail) {
    std::string const text =
        line.format == "json" ? audit_json(outcomes, jail) : audit_table(outcomes, jail, explain);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (std::fflush(stdout) != 0) return told(sys_error("write(stdout)").value());
    AuditCount const all = count(outcomes);
    bool const beyond = all.open != 0 || all.unknown != 0 || (line.strict && all.asked_for != 0);
    return beyond ? exit_code::no : exit_code::done;
}

std::string like_of(std::vector<KeyValue> const& said) {
    std::string like;
    for (KeyValue const& each : said)
        if (std::string_view(each.key->name) == "like") like = each.value;
    return like;
}

/// A living jail: the battery is one more program in it.
int audit_living(AuditLine const& line, std::string const& state, bool explain) {
    auto const store = Store::open(state);
    if (!store) return told(store.error());
    std::string const path = store->path() + "/" + line.name + "/spec.json";
    auto const seen = store->look(line.name);
    if (!seen) return told(seen.error());
    auto const text = read_file(path);
    if (!text) return told(text.error());
    auto const spec = spec_from_json(*text, path);
    if (!spec) return told(spec.error());
    auto const run_inside = [&](int program, std::vector<std::string> const& words) {
        ExecOptions options;
        options.words = words;
        options.program = program;
        auto const status = exec_in_jail(*store, line.name, options);
        return status ? *status : told(status.error());
    };
    auto audited = audit(run_inside, {}); // its memory is in use: nothing is tried on that
    if (!audited) return told(audited.error());
    if (audited->failed != 0) return audited->failed;
    mark_asked_for(audited->outcomes, weakenings(*spec, ""));
    return tell(audited->outcomes, line, explain, "the jail '" + line.name + "'");
}

/// The jail of the options with the battery in the place of its program, whose file is not shown.
int audit_new(AuditLine const& line, JailOptions options, std::vector<KeyValue> const& said,
              std::function<int(JailOptions const&)> const& run) {
    bool const explain = options.run.explain; // of the attempts, not of the steps
    options.run.explain = false;
    options.spec.process.from_host = false;
    std::vector<std::string> facts;
    if (options.spec.limits.memory)
        facts.push_back(fmt::format("memory={}", *options.spec.limits.memory));
    auto const run_inside = [&](int program, std::vector<std::string> const& words) {
        options.spec.process.arguments = words;
        options.program = program;
        return run(options);
    };
    auto audited = audit(run_inside, std::move(facts));
    if (!audited) return told(audited.error());
    if (audited->failed != 0) return audited->failed;
    mark_asked_for(audited->outcomes, weakenings(options.spec, like_of(said)));
    return tell(audited->outcomes, line, explain, "a jail as these options make it");
}

} // namespace

void add_audit_options(CLI::App& command, AuditLine& line) {
    command.add_option("NAME", line.name, "A living jail, in the place of options that make one");
    command.add_option("--format", line.format, "table or json (docs/audit.schema.json)")
        ->check(CLI::IsMember({"table", "json"}))
        ->type_name("FORMAT");
    command.add_flag("--strict", line.strict, "End with 1 for what the options asked for, too");
    command.add_flag("--list", line.list, "Make no jail; list the attempts, in Markdown");
    command
        .add_option("--battery", line.battery,
                    "Make no jail; write the battery to FILE, a static program to be run elsewhere")
        ->option_text("FILE");
    command.footer(
        "Usage: audit [OPTIONS of run] | audit NAME | audit --battery FILE\n"
        "Exit status: 0 nothing is open but what the options ask for, 1 something else is,\n"
        "2 called wrongly, 125 no jail could be made or the battery did not come to its end.");
}

bool contradicts(CLI::App const& command, AuditLine const& line) {
    if (line.name.empty()) return false;
    for (CLI::Option const* const option :
         command.get_options([](CLI::Option const* each) { return each->count() > 0; }))
        if (!describes_no_jail(option->get_name())) return true;
    return false;
}

int audit_verb(AuditLine const& line, std::string const& state, JailOptions options,
               std::vector<KeyValue> const& said,
               std::function<int(JailOptions const&)> const& run) {
    if (line.list) {
        std::fputs(check_list().c_str(), stdout);
        return exit_code::done;
    }
    if (!line.battery.empty()) {
        auto const written = write_battery(line.battery);
        if (written) return exit_code::done;
        print_error("isolate", written.error());
        return exit_code::engine_failed;
    }
    if (!line.name.empty()) return audit_living(line, state, options.run.explain);
    return audit_new(line, std::move(options), said, run);
}

} // namespace iso::jail
