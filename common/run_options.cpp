#include "common/run_options.hpp"

#include "common/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

namespace iso {

namespace {

AddedPath parse_added(std::string const& text) {
    auto const colon = text.find(':');
    AddedPath added{text.substr(0, colon),
                    colon == std::string::npos ? text : text.substr(colon + 1)};
    if (added.host.empty()) throw CLI::ValidationError("--add", "HOST is empty in '" + text + "'");
    if (added.guest.empty() || added.guest.front() != '/')
        throw CLI::ValidationError("--add", "'" + added.guest +
                                                "' is not an absolute path; write HOST:/PATH");
    return added;
}

std::uint64_t unwrap_unit(char const* option, Result<std::uint64_t> value) {
    if (!value)
        throw CLI::ValidationError(option, value.error().op + ": " + value.error().cause +
                                               "; write " + value.error().hint);
    return *value;
}

/// FILE[:SIZE]. A path with a colon needs a SIZE, so that the last colon is the one before it.
void parse_disk(std::string const& text, RunOptions& options) {
    auto const colon = text.rfind(':');
    options.disk = text.substr(0, colon);
    if (options.disk.empty())
        throw CLI::ValidationError("--disk", "FILE is empty in '" + text + "'");
    if (colon == std::string::npos) return;
    options.disk_bytes = unwrap_unit("--disk", parse_bytes(text.substr(colon + 1)));
}

} // namespace

void add_run_options(CLI::App& run, RunOptions& options) {
    run.add_option_function<std::vector<std::string>>(
           "--add",
           [&options](std::vector<std::string> const& texts) {
               for (std::string const& text : texts)
                   options.added.push_back(parse_added(text));
           },
           "A host file or directory that appears read-only inside, at the same path or at GUEST")
        ->option_text("HOST[:GUEST]")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    run.add_option_function<std::string>(
           "--disk", [&options](std::string const& text) { parse_disk(text, options); },
           "A host file that is the guest's disk, at /disk inside; created, sparse, when it is "
           "missing (64M)")
        ->option_text("FILE[:SIZE]");
    run.add_option("--env", options.environment,
                   "A variable for the program; nothing else is inherited")
        ->option_text("NAME=VALUE")
        ->allow_extra_args(false)
        ->check([](std::string const& text) {
            return text.find('=') == std::string::npos || text.front() == '='
                       ? "'" + text + "' is not NAME=VALUE"
                       : std::string();
        });
    run.add_option("--workdir", options.workdir, "The program's working directory, inside")
        ->type_name("PATH")
        ->check([](std::string const& text) {
            return text.empty() || text.front() != '/' ? "'" + text + "' is not an absolute path"
                                                       : std::string();
        });
    run.add_option("--root", options.root, "A host directory to use as the root, read-only")
        ->check(CLI::ExistingDirectory)
        ->option_text("DIR");
    run.add_option_function<std::string>(
           "--timeout",
           [&options](std::string const& text) {
               options.timeout_ns = unwrap_unit("--timeout", parse_duration_ns(text));
           },
           "End the program after this long, with exit status 124")
        ->type_name("DURATION");
    run.add_option_function<std::string>(
           "--memory",
           [&options](std::string const& text) {
               options.memory_bytes = unwrap_unit("--memory", parse_bytes(text));
           },
           "The most memory the program may have, for example 64M")
        ->type_name("SIZE");
    run.add_option("--report-fd", options.report_fd,
                   "Write one JSON object about the run to this descriptor")
        ->check(CLI::Range(3, 1 << 20))
        ->option_text("N");
    run.add_flag("--explain", options.explain,
                 "Tell each step, its cost and its reason, on stderr");
    run.add_flag("--trace", options.trace, "Show every crossing of the boundary on stderr");
    run.add_option_function<std::string>(
           "--stats",
           [&options](std::string const& text) {
               if (!text.empty() && text != "json" && text != "text")
                   throw CLI::ValidationError("--stats",
                                              "'" + text + "' is no format; write json or text");
               options.stats = text == "json" ? StatsFormat::json : StatsFormat::text;
           },
           "Print the counters on stderr at the end; --stats=json as JSON")
        ->option_text("[=json]")
        ->expected(0, 1);
    run.footer("Usage: run [OPTIONS] -- PROGRAM [ARG...]\n"
               "From PROGRAM on, everything belongs to the program, with or without the --.\n"
               "Exit status: the program's own; 124 timed out, 125 the engine failed or was called "
               "wrongly,\n126 cannot execute, 127 not found, 128+n killed by signal n.");
}

namespace {

/// The index of the first word from `from` on that is neither an option of `app` nor an option's
/// value, or the number of words. CLI11 cannot tell the program's options from ours, so the line is
/// cut first.
int find_plain_word(CLI::App const& app, std::vector<std::string> const& words, int from) {
    int const count = static_cast<int>(words.size());
    for (int i = from; i < count; ++i) {
        std::string const& word = words[static_cast<std::size_t>(i)];
        if (word == "--") return i + 1;
        if (word.size() < 2 || word.front() != '-') return i;
        if (word.find('=') != std::string::npos) continue;
        CLI::Option const* const option = app.get_option_no_throw(word);
        if (option != nullptr && option->get_items_expected_min() > 0) ++i;
    }
    return count;
}

} // namespace

CommandLine parse_command_line(CLI::App& app, int argc, char const* const* argv,
                               RunOptions* options) {
    std::vector<std::string> words(argv, argv + argc);
    // The verbs that end with PROGRAM [ARG...]; exec has a name before that.
    int const verb = find_plain_word(app, words, 1);
    std::string const name = verb < argc ? words[static_cast<std::size_t>(verb)] : "";
    CLI::App const* command = nullptr;
    if (name == "run" || name == "create" || name == "exec")
        for (CLI::App const* const known : app.get_subcommands([](CLI::App*) { return true; }))
            if (known->get_name() == name) command = known;
    bool const is_run = options != nullptr && command != nullptr;
    try {
        if (is_run) {
            std::ptrdiff_t end = find_plain_word(*command, words, verb + 1);
            std::ptrdiff_t program = end;
            if (name == "exec" && end < argc) {
                program = ++end;
                if (program < argc && words[static_cast<std::size_t>(program)] == "--") ++program;
            }
            if (program < argc) {
                options->program = words[static_cast<std::size_t>(program)];
                options->arguments.assign(words.begin() + program + 1, words.end());
            }
            if (end < argc) words.resize(static_cast<std::size_t>(end));
            if (words.back() == "--") words.pop_back();
        }
        std::vector<std::string> reversed(words.rbegin(), words.rend() - 1);
        app.parse(reversed); // CLI11 takes a vector last word first
        if (is_run && options->program.empty()) {
            // A file can name the program as well: a jail file, OCI's, or an image.
            auto const said = [&](char const* option_name) {
                CLI::Option const* const option = command->get_option_no_throw(option_name);
                return option != nullptr && option->count() > 0;
            };
            bool const may_be_image = command->get_option_no_throw("--file") != nullptr &&
                                      (said("--root") || said("--root-image"));
            if (!said("--file") && !said("--process") && !may_be_image)
                throw CLI::RequiredError("PROGRAM");
        }
        return {true, 0};
    } catch (CLI::Success const& help) { // help and version are "errors" to CLI11
        app.exit(help);
        return {false, exit_code::done};
    } catch (CLI::ParseError const& problem) {
        std::string const text = fmt::format("{0}: {1}; try: {0}{2} --help\n", app.get_name(),
                                             problem.what(), is_run ? " " + name : "");
        std::fwrite(text.data(), 1, text.size(), stderr);
        return {false, is_run || name == "wait" ? exit_code::engine_failed : exit_code::usage};
    }
}

} // namespace iso
