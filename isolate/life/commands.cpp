#include "isolate/life/commands.hpp"

#include "common/units.hpp"
#include "isolate/life/exec.hpp"
#include "isolate/life/name.hpp"
#include "isolate/life/signals.hpp"
#include "isolate/life/verbs.hpp"
#include "isolate/spec/names.hpp"
#include "isolate/spec/oci_config.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>

namespace iso::jail {

namespace {

CLI::App& add_verb(CLI::App& app, LifeOptions& life, char const* verb, char const* help) {
    CLI::App& command = *app.add_subcommand(verb, help);
    command.add_option("NAME", life.name, "The jail's name")->required();
    return command;
}

void add_format(CLI::App& command, LifeOptions& life) {
    command.add_option("--format", life.format, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->type_name("FORMAT");
}

/// Of a verb other than run: 1 where `run` would say that the engine failed (common/exit.hpp).
int told_status(Error const& error) {
    print_error("isolate", error);
    return error.exit_status == exit_code::engine_failed ? exit_code::no : error.exit_status;
}

int told_status(Result<void> const& done) {
    return done ? exit_code::done : told_status(done.error());
}

/// Of run, exec, wait: 1 could be what a program ended with.
int run_error(Error const& error) {
    print_error("isolate", error);
    return error.exit_status == exit_code::no ? exit_code::engine_failed : error.exit_status;
}

Result<void> send(Store const& store, LifeOptions const& life) {
    return kill_jail(store, life.name, TRY(parse_signal(life.signal)), life.all);
}

/// "1000" or "1000:100"
Result<void> read_user(std::string const& text, ExecOptions& options) {
    auto const colon = text.find(':');
    auto number = [&](std::string const& part) -> Result<std::uint32_t> {
        std::uint32_t value = 0;
        auto const [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (problem != std::errc{} || end != part.data() + part.size())
            return refused("--user " + text, "not a number", "UID[:GID], as 1000:1000");
        return value;
    };
    options.uid = TRY(number(text.substr(0, colon)));
    if (colon != std::string::npos) options.gid = TRY(number(text.substr(colon + 1)));
    return {};
}

Result<ExecOptions> exec_options(LifeOptions const& life) {
    ExecOptions options;
    if (!life.run->program.empty()) options.words.push_back(life.run->program);
    options.words.insert(options.words.end(), life.run->arguments.begin(),
                         life.run->arguments.end());
    if (!life.process.empty()) {
        if (!options.words.empty())
            return refused("--process", "the program is in that file", "no PROGRAM beside it");
        std::string const text = TRY(read_file(life.process, std::size_t{8} << 20U));
        std::vector<std::string> notes;
        options.process = TRY(read_oci_process(text, life.process, notes));
    }
    options.environment = life.environment;
    options.directory = life.workdir;
    if (!life.user.empty()) TRY(read_user(life.user, options));
    options.groups = life.groups;
    for (std::string const& name : life.capabilities) {
        auto const number = capability_number(name);
        if (!number) return refused("--cap " + name, "no such capability", "CAP_NET_RAW");
        options.capabilities |= std::uint64_t{1} << *number;
    }
    options.no_new_privileges = life.no_new_privileges;
    options.detach = life.detach;
    options.terminal = life.terminal;
    options.console_socket = life.console_socket;
    options.pid_file = life.pid_file;
    options.kept_descriptors = life.kept_descriptors;
    // A container engine has given its streams and waits for the process itself.
    options.own_streams = !life.process.empty() || !life.pid_file.empty();
    return options;
}

int exec_verb(Store const& store, LifeOptions const& life) {
    auto const options = exec_options(life);
    if (!options) return run_error(options.error());
    auto const status = exec_in_jail(store, life.name, *options);
    return status ? *status : run_error(status.error());
}

/// As container engines write them.
void add_exec_options(CLI::App& exec, LifeOptions& life) {
    exec.add_option("-u,--user", life.user, "Whom it runs as, inside")->option_text("UID[:GID]");
    exec.add_option("-g,--additional-gids", life.groups, "A further group of its")
        ->option_text("GID")
        ->allow_extra_args(false);
    exec.add_option("-c,--cap", life.capabilities, "A capability beside the jail's own")
        ->option_text("NAME")
        ->allow_extra_args(false);
    exec.add_flag("--no-new-privs", life.no_new_privileges,
                  "Set-user-id files give it nothing, even where the jail lets them");
    exec.add_option("-p,--process", life.process,
                    "All that it is, as the field process of OCI's config.json")
        ->type_name("FILE");
    exec.add_option("--pid-file", life.pid_file, "Write the number of its process here")
        ->type_name("FILE");
    exec.add_option("--console-socket", life.console_socket,
                    "Send the master of its terminal to this socket")
        ->type_name("PATH");
    exec.add_option("--preserve-fds", life.kept_descriptors,
                    "It gets so many of the caller's descriptors, from 3 on")
        ->type_name("N")
        ->check(CLI::Range(0, 1000));
}

int wait_verb(Store const& store, LifeOptions const& life) {
    auto const status = wait_jail(store, life.name);
    return status ? *status : run_error(status.error());
}

} // namespace

void add_naming_options(CLI::App& command, LifeOptions& life) {
    command.add_option("--name", life.name, "A name, by which other commands know the jail")
        ->type_name("NAME");
    command.add_flag("-t,--terminal", life.terminal, "A terminal of the jail's own");
    command.add_flag("--rm", life.temporary,
                     "With a detached jail: leave nothing of it when it has ended");
    command
        .add_option_function<std::string>(
            "--log-size",
            [&life](std::string const& text) {
                auto const size = parse_bytes(text);
                if (!size)
                    throw CLI::ValidationError("--log-size",
                                               size.error().op + ": " + size.error().cause);
                life.log_bytes = *size;
            },
            "The most of a detached jail's output that is kept (16M)")
        ->type_name("SIZE");
}

void add_life_verbs(CLI::App& app, LifeOptions& life) {
    app.add_option("--state,--root", life.state,
                   "Where the state of jails is (/run/isolate, $XDG_RUNTIME_DIR/isolate)")
        ->type_name("DIR");
    add_verb(app, life, "start", "Start the program of a created jail");
    CLI::App& exec = add_verb(app, life, "exec", "Run one more program in a running jail");
    exec.add_option("-e,--env", life.environment, "A variable for the program")
        ->option_text("NAME=VALUE")
        ->allow_extra_args(false);
    exec.add_option("--workdir,--cwd", life.workdir, "Its working directory, inside")
        ->type_name("PATH");
    add_exec_options(exec, life);
    exec.add_flag("-d,--detach", life.detach, "Do not wait for its end");
    exec.add_flag("-t,--terminal,--tty", life.terminal, "A terminal of the jail's own");
    exec.footer("Usage: exec [OPTIONS] NAME [--] PROGRAM [ARG...]\nExit status: the program's own, "
                "and else as that of run.");
    CLI::App& list = *app.add_subcommand("list", "Show the jails of this user");
    add_format(list, life);
    list.add_flag("-q,--quiet", life.quiet, "Names only");
    add_verb(app, life, "state", "Show the state of a jail, as OCI's JSON");
    add_format(add_verb(app, life, "ps", "Show the processes of a jail"), life);
    add_format(add_verb(app, life, "stats", "Show what a jail uses"), life);
    CLI::App& logs = add_verb(app, life, "logs", "Show what a detached jail wrote");
    logs.add_flag("-f,--follow", life.follow, "Go on until it has ended");
    add_verb(app, life, "wait", "Wait for the end of a jail, and end with its exit status");
    CLI::App& kill = add_verb(app, life, "kill", "Send a signal to a jail");
    kill.add_option("SIGNAL", life.signal, "By name or number")->capture_default_str();
    kill.add_flag("-a,--all", life.all, "To every process inside");
    add_verb(app, life, "pause", "Stop every process of a jail where it is");
    add_verb(app, life, "resume", "Let a paused jail go on");
    add_verb(app, life, "set", "Change limits of a jail that runs")
        .add_option("KEY=VALUE", life.changes, "For example memory=64M, pids=100, cpus=0.5")
        ->required();
    add_verb(app, life, "limits", "Show what a jail holds, held at most, may hold, was refused");
    CLI::App& remove = add_verb(app, life, "delete", "Remove a jail that has ended");
    remove.add_flag("-f,--force", life.force, "Whatever state it is in, even none");
}

int run_life_verb(CLI::App const& app, LifeOptions const& life) {
    auto const chosen = [&](char const* verb) { return app.got_subcommand(verb); };
    auto const store = Store::open(life.state);
    if (!store) return told_status(store.error());
    bool const json = life.format == "json";
    if (chosen("start")) return told_status(start_jail(*store, life.name));
    if (chosen("exec")) return exec_verb(*store, life);
    if (chosen("state")) return told_status(print_state(*store, life.name));
    if (chosen("ps")) return told_status(print_processes(*store, life.name, json));
    if (chosen("stats")) return told_status(print_stats(*store, life.name, json));
    if (chosen("logs")) return told_status(print_logs(*store, life.name, life.follow));
    if (chosen("wait")) return wait_verb(*store, life);
    if (chosen("kill")) return told_status(send(*store, life));
    if (chosen("pause")) return told_status(pause_jail(*store, life.name));
    if (chosen("resume")) return told_status(resume_jail(*store, life.name));
    if (chosen("set")) return told_status(set_limits(*store, life.name, life.changes));
    if (chosen("limits")) return told_status(print_limits(*store, life.name));
    if (chosen("delete")) return told_status(delete_jail(*store, life.name, life.force));
    if (chosen("list"))
        return told_status(print_list(*store, life.quiet ? ListFormat::names
                                              : json     ? ListFormat::json
                                                         : ListFormat::table));
    return -1;
}

bool is_named(LifeOptions const& life) {
    return !life.name.empty() || life.detach || life.terminal;
}

int run_named(JailOptions options, LifeOptions const& life, bool hold,
              std::function<int(RunReport const&)> const& told) {
    auto const store = Store::open(life.state);
    if (!store) return run_error(store.error());
    Order order;
    order.options = std::move(options);
    order.hold = hold;
    order.log_bytes = life.log_bytes;
    order.record.name = life.name.empty() ? make_name() : life.name;
    order.record.detached = hold || life.detach;
    order.record.temporary = life.temporary;
    order.record.timeout_ns = order.options.run.timeout_ns;
    order.options.spec.name = order.record.name;
    order.options.spec.process.terminal = order.record.terminal = life.terminal;
    auto jail = take_name(*store, order);
    if (!jail) return run_error(jail.error());
    if (!order.record.detached) {
        return told(keep_in_foreground(*store, std::move(*jail), order));
    }
    if (auto kept = keep_detached(*store, std::move(*jail), order); !kept)
        return run_error(kept.error());
    fmt::print("{}\n", order.record.name);
    return exit_code::done;
}

} // namespace iso::jail
