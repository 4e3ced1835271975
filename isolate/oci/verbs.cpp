#include "isolate/oci/verbs.hpp"

#include "common/units.hpp"
#include "isolate/life/terminal.hpp"
#include "isolate/life/verbs.hpp"
#include "isolate/oci/container.hpp"
#include "isolate/spec/json_text.hpp"
#include "isolate/supervise.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <unistd.h>

#include <sys/wait.h>

namespace iso::jail {

namespace {

Result<ContainerOrder> order_from(ContainerLine const& line, LifeOptions const& life) {
    if (!life.run->arguments.empty())
        return refused("--bundle", "the program is in the bundle's config.json",
                       "isolate create --bundle DIR ID");
    if (line.no_pivot)
        return refused("--no-pivot", "a root that is left by pivot_root(2) alone is never left",
                       "without it; isolate does not run from an initramfs");
    ContainerOrder order;
    order.id = life.run->program;
    order.bundle = line.bundle;
    order.pid_file = line.pid_file;
    order.console_socket = line.console_socket;
    order.kept_descriptors = line.kept_descriptors;
    order.new_keyring = !line.no_new_keyring;
    order.groups = line.group_manager != "disabled";
    order.limits_required = line.rootless == "false";
    order.command_line = line.command_line;
    return order;
}

/// `run` in the foreground: we are its parent, and end as it does.
class Foreground {
public:
    Foreground(Store const& store, ContainerOrder order, bool keep)
        : store_(store)
        , id_(order.id)
        , keep_(keep)
        , order_(std::move(order)) {}

    Result<int> run(bool terminal) {
        TRY(signals_.open(terminal ? SIGWINCH : 0));
        if (terminal) {
            TRY(relay_.open());
            order_.terminal = Fd(::fcntl(relay_.jail_socket(), F_DUPFD_CLOEXEC, 3));
            winsize const size = relay_.size();
            order_.rows = size.ws_row;
            order_.columns = size.ws_col;
        }
        Container container(store_, std::move(order_));
        TRY(container.create());
        relay_.jail_has_it();
        auto status = live(container, terminal);
        relay_.drain();
        relay_.restore();
        container.let_go();
        if (!keep_ || !status) {
            auto const gone = delete_jail(store_, id_, true);
            if (status && !gone) return tl::unexpected<Error>(gone.error());
        }
        return status;
    }

private:
    Result<int> live(Container& container, bool terminal) {
        TRY(start_jail(store_, id_));
        std::vector<pollfd> polled;
        Service service;
        if (terminal) polled = relay_.polled();
        service.polled = polled;
        service.serve = [&](std::uint64_t&) { relay_.serve(polled); };
        service.other_signal = [&](int) { relay_.resize(); };
        TRY(supervise(container.launch().pidfd(), signals_, 0, service));
        int const status = TRY(container.launch().reap(nullptr));
        return WIFSIGNALED(status) ? exit_code::from_signal(WTERMSIG(status)) : WEXITSTATUS(status);
    }

    Store const& store_;
    std::string const id_;
    bool const keep_;
    ContainerOrder order_;
    StopSignals signals_;
    TerminalRelay relay_;
};

/// The container lives on when we have ended.
Result<void> make_detached(Store const& store, ContainerOrder order, bool start) {
    std::string const id = order.id;
    Container container(store, std::move(order));
    TRY(container.create());
    container.let_go();
    if (!start) return {};
    auto started = start_jail(store, id);
    if (!started) (void)delete_jail(store, id, true);
    return started;
}

} // namespace

void add_engine_options(CLI::App& app, ContainerLine& line) {
    char const* const group = "As a runtime of Podman, containerd and other engines";
    app.add_option("--log", line.log.file, "Write errors and warnings to this file too")
        ->type_name("FILE")
        ->group(group);
    app.add_option_function<std::string>(
           "--log-format", [&line](std::string const& format) { line.log.json = format == "json"; },
           "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}))
        ->group(group);
    app.add_flag("--debug", line.log.debug, "With --log: also what config.json says in vain")
        ->group(group);
    app.add_option("--cgroup-manager", line.group_manager,
                   "Who makes control groups: isolate does, whatever is named; disabled: nobody")
        ->type_name("NAME")
        ->check(CLI::IsMember({"cgroupfs", "systemd", "disabled"}))
        ->group(group);
    app.add_flag("--systemd-cgroup", line.systemd_group,
                 "cgroupsPath has systemd's form (which isolate sees by itself)")
        ->group(group);
    app.add_option("--rootless", line.rootless,
                   "false: a limit that cannot be enforced here is an error")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"true", "false", "auto"}))
        ->group(group);
}

void add_bundle_options(CLI::App& command, ContainerLine& line) {
    char const* const group = "A container of OCI's: --bundle DIR [OPTIONS] ID";
    command.add_option("-b,--bundle", line.bundle, "The directory that holds its config.json")
        ->type_name("DIR")
        ->group(group);
    command.add_option("--pid-file", line.pid_file, "Write the number of its process here")
        ->type_name("FILE")
        ->group(group);
    command
        .add_option("--console-socket", line.console_socket,
                    "Send the master of its terminal to this socket")
        ->type_name("PATH")
        ->group(group);
    command
        .add_option("--preserve-fds", line.kept_descriptors,
                    "It gets so many of the caller's descriptors, from 3 on")
        ->type_name("N")
        ->check(CLI::Range(0, 1000))
        ->group(group);
    command.add_flag("--no-new-keyring", line.no_new_keyring, "Keep the caller's session keyring")
        ->group(group);
    command
        .add_flag("--no-pivot", line.no_pivot, "Refused: isolate leaves the host's root for good")
        ->group(group);
    if (command.get_name() != "run") return;
    command.add_flag("--keep", line.keep, "Do not delete it when it has ended")->group(group);
    command.add_flag("--no-subreaper", line.no_subreaper, "As it is anyway")->group(group);
}

void add_engine_verbs(CLI::App& app, ContainerLine& line) {
    CLI::App& events = *app.add_subcommand(
        "events", "Show what a jail uses, as JSON, again and again until it ends");
    events.add_option("NAME", line.id, "The jail's name")->required();
    events
        .add_option_function<std::string>(
            "--interval",
            [&line](std::string const& text) {
                auto const interval = parse_duration_ns(text);
                if (!interval || *interval == 0)
                    throw CLI::ValidationError("--interval", "'" + text + "' is no time; write 5s");
                line.interval_ns = *interval;
            },
            "How often (5s)")
        ->type_name("DURATION");
    events.add_flag("--stats", line.once, "Once, now, and no more");

    CLI::App& update =
        *app.add_subcommand("update", "Change limits of a jail, as OCI's engines name them");
    update.add_option("NAME", line.id, "The jail's name")->required();
    update
        .add_option("-r,--resources", line.resources,
                    "A file with an object linux.resources; - is stdin")
        ->type_name("FILE");
    struct Flag {
        char const* option;
        char const* section;
        char const* field;
        char const* help;
    };
    for (Flag const& flag :
         {Flag{"-m,--memory", "memory", "limit", "The most memory, in bytes"},
          Flag{"--memory-reservation", "memory", "reservation", "Memory that is left to it"},
          Flag{"--memory-swap", "memory", "swap", "Memory and swap together, in bytes"},
          Flag{"--pids-limit", "pids", "limit", "The most processes and threads"},
          Flag{"--cpu-share", "cpu", "shares", "Its share where others want time too"},
          Flag{"--cpu-quota", "cpu", "quota", "Microseconds in each period"},
          Flag{"--cpu-period", "cpu", "period", "The period, in microseconds"},
          Flag{"--cpuset-cpus", "cpu", "cpus", "A list of processors, as 0-1"},
          Flag{"--cpuset-mems", "cpu", "mems", "A list of memory nodes"},
          Flag{"--blkio-weight", "blockIO", "weight", "Its share of the disks, 10 to 1000"}})
        update
            .add_option_function<std::string>(
                flag.option,
                [&line, flag](std::string const& value) {
                    line.changes.push_back({flag.section, flag.field, value});
                },
                flag.help)
            ->type_name("VALUE");
    app.add_subcommand("features", "Say what this runtime does, as OCI's JSON");
}

std::optional<int> run_engine_verb(CLI::App const& app, ContainerLine const& line,
                                   LifeOptions const& life) {
    if (app.got_subcommand("features")) {
        std::fputs(features_json().c_str(), stdout);
        return exit_code::done;
    }
    bool const update = app.got_subcommand("update");
    if (!update && !app.got_subcommand("events")) return {};
    auto const carry_out = [&]() -> Result<void> {
        Store const store = TRY(Store::open(life.state));
        if (!update) return print_events(store, line.id, line.interval_ns, line.once);
        std::string resources;
        if (line.resources == "-")
            resources = TRY(read_all(STDIN_FILENO, k_max_json_bytes));
        else if (!line.resources.empty())
            resources = TRY(read_file(line.resources, k_max_json_bytes));
        if (line.resources.empty() && line.changes.empty())
            return refused("update", "nothing is to be changed",
                           "isolate update --memory 67108864 ID");
        return update_limits(store, line.id, resources, line.changes);
    };
    auto const done = carry_out();
    if (done) return exit_code::done;
    print_error("isolate", done.error());
    return done.error().exit_status == exit_code::usage ? exit_code::usage : exit_code::no;
}

int container_verb(ContainerLine const& line, LifeOptions const& life, bool start) {
    auto const carry_out = [&]() -> Result<int> {
        ContainerOrder order = TRY(order_from(line, life));
        Store const store = TRY(Store::open(life.state));
        if (!start || life.detach) {
            TRY(make_detached(store, std::move(order), start));
            return exit_code::done;
        }
        order.outlives = false;
        // Whether it has a terminal stands in its config.json, which is not read yet.
        bool const terminal = TRY(wants_terminal(order.bundle)) && order.console_socket.empty();
        return Foreground(store, std::move(order), line.keep).run(terminal);
    };
    auto const status = carry_out();
    if (status) return *status;
    print_error("isolate", status.error());
    int const told = status.error().exit_status;
    return !start && told == exit_code::engine_failed ? exit_code::no : told;
}

} // namespace iso::jail
