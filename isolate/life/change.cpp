// The verbs that change a jail.
#include "isolate/life/cleanup.hpp"
#include "isolate/life/hooks.hpp"
#include "isolate/life/inside.hpp"
#include "isolate/life/signals.hpp"
#include "isolate/life/verbs.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/shared.hpp"
#include "isolate/spec/spec_json.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace iso::jail {

tl::unexpected<Error> wrong_status(Seen const& seen, char const* verb, std::string hint) {
    return error("jail '" + seen.record.name + "'",
                 fmt::format("it is {}: {} is not possible", to_string(seen.record.status), verb),
                 std::move(hint));
}

namespace {

/// What a jail said that could not start its program.
Error start_error(Record const& record, StartFailure const& told) {
    Step step{.op = static_cast<Op>(told.op), .path = {}, .text = {}};
    Error error{describe(step), std::strerror(told.error), {}, told.error};
    if (step.op == Op::execute) {
        error.op = "exec(" + (record.command.empty() ? "" : record.command.front()) + ")";
        error.exit_status = told.error == ENOENT ? exit_code::not_found : exit_code::cannot_execute;
    }
    if (step.op == Op::change_directory) {
        error.op = "chdir(working directory)";
        error.hint = "one that exists inside";
    }
    return error;
}

Result<JailSpec> spec_of(JailDirectory const& jail) {
    std::string const text = TRY(jail.read("spec.json"));
    return spec_from_json(text, jail.path() + "/spec.json");
}

/// Of what was created by OCI's face: clients look for these words.
tl::unexpected<Error> not_running(Seen const& seen) {
    return error("container '" + seen.record.name + "'",
                 fmt::format("container not running: it is {}", to_string(seen.record.status)));
}

/// A signal to each process of a jail. Those of a container that shares its process namespace are
/// known by its group only.
Result<void> signal_all(Record const& record, int signal) {
    std::vector<pid_t> pids;
    if (!record.own_init && !record.group.empty()) {
        ControlGroup const group = TRY(ControlGroup::open(record.group));
        pids = TRY(group.processes());
    } else {
        for (InsideProcess const& process : TRY(processes_inside(record.init)))
            if (!record.own_init || process.inside != 1) pids.push_back(process.pid);
    }
    for (pid_t const pid : pids) {
        auto const handle = Pidfd::open(pid);
        if (handle) TRY(handle->send(signal));
    }
    return {};
}

} // namespace

Result<void> start_jail(Store const& store, std::string const& name) {
    JailDirectory const jail = TRY(store.lock(name));
    Seen seen = TRY(Store::look(jail));
    if (seen.record.status != Status::created)
        return wrong_status(seen, "start",
                            seen.record.status == Status::stopped ? "isolate delete " + name : "");
    JailSpec const spec = TRY(spec_of(jail));
    // By ours, in its namespaces, so that what it waits behind needs no exception for them.
    if (auto hooked =
            run_hooks(spec, "startContainer", state_json(store, seen), seen.record.init.pid);
        !hooked) {
        (void)end_jail(seen.record);
        return hooked;
    }
    Fd const connection = TRY(connect_to_start(jail.fd()));
    if (::write(connection.get(), "s", 1) != 1) return sys_error("write(start)");
    StartFailure told;
    ssize_t got = 0;
    do
        got = ::read(connection.get(), &told, sizeof told);
    while (got < 0 && errno == EINTR);
    if (got == sizeof told) return tl::unexpected<Error>(start_error(seen.record, told));
    if (got != 0) return error("start of '" + name + "'", "it ended before its program ran");
    seen.record.status = Status::running;
    TRY(jail.write_record(seen.record));
    jail.remove_file("start");
    run_late_hooks(spec, "poststart", state_json(store, seen));
    return {};
}

Result<void> kill_jail(Store const& store, std::string const& name, int signal, bool all) {
    Seen const seen = TRY(store.look(name));
    Record const& record = seen.record;
    if (record.status == Status::stopped || record.status == Status::creating) {
        // Of those that share their process namespace, others may be left.
        if (all && record.status == Status::stopped) {
            if (!record.own_init) (void)signal_all(record, signal);
            return {};
        }
        if (!record.own_init) return not_running(seen);
        return wrong_status(seen, "kill", "");
    }
    if (record.own_init && !all && (signal == SIGSTOP || signal == SIGCONT))
        return error("kill(" + name + ")", "process 1 of the jail cannot pass this signal on",
                     "isolate pause " + name + ", or --all");
    // What waits for its start has every signal blocked, and no program that could handle one.
    if (record.status == Status::created && ends_by_default(signal)) signal = SIGKILL;
    Pidfd const init = TRY(open_process(record.init));
    if (!all || (signal == SIGKILL && record.own_init)) {
        TRY(init.send(signal));
        // Version 1 delivers no signal to what is frozen, not even this one.
        if (signal == SIGKILL && record.status == Status::paused && !record.group.empty()) {
            if (auto group = ControlGroup::open(record.group)) TRY(group->thaw());
        }
        return {};
    }
    return signal_all(record, signal);
}

Result<void> delete_jail(Store const& store, std::string const& name, bool force) {
    for (;;) {
        auto locked = store.lock(name);
        if (!locked) {
            if (force && locked.error().code == ENOENT) return {};
            return tl::unexpected<Error>(std::move(locked.error()));
        }
        JailDirectory jail = std::move(*locked);
        auto const seen = Store::look(jail);
        if (!seen) { // without a readable state there is nobody to end
            if (!force) return tl::unexpected<Error>(seen.error());
            return jail.remove();
        }
        if (seen->record.status != Status::stopped) {
            if (!force) return wrong_status(*seen, "delete", "isolate delete --force " + name);
            Record const record = seen->record;
            jail.unlock(); // its keeper may need it to end
            TRY(end_jail(record));
            continue;
        }
        TRY(clean_up(seen->record));
        if (auto const spec = spec_of(jail)) {
            Seen const gone = *seen;
            TRY(jail.remove());
            run_late_hooks(*spec, "poststop", state_json(store, gone));
            return {};
        }
        return jail.remove();
    }
}

Result<int> wait_jail(Store const& store, std::string const& name) {
    for (;;) {
        Seen const seen = TRY(store.look(name));
        Record const& record = seen.record;
        if (record.status == Status::stopped) {
            if (seen.ending) return seen.ending->exit_status;
            if (auto keeper = open_process(record.keeper)) { // about to note it
                (void)TRY(wait_for_end(*keeper, 0));
                continue;
            }
            return error("wait(" + name + ")", "nobody noted how it ended",
                         record.keeper.known() ? "its keeper was killed"
                                               : "whoever made it knows (its parent process)");
        }
        ProcessId const whom =
            record.keeper.known() && is_alive(record.keeper) ? record.keeper : record.init;
        if (auto process = open_process(whom)) (void)TRY(wait_for_end(*process, 0));
    }
}

} // namespace iso::jail
