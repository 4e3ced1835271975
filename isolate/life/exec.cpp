#include "isolate/life/exec.hpp"

#include "common/mapping.hpp"
#include "isolate/hints.hpp"
#include "isolate/life/exec_child.hpp"
#include "isolate/life/namespaces.hpp"
#include "isolate/life/pid_file.hpp"
#include "isolate/life/terminal.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/spec/spec_json.hpp"
#include "isolate/supervise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

/// What cannot be entered as its own program did, is not.
Result<void> check_exec(Record const& record, JailSpec const& spec) {
    std::string const op = "exec in '" + spec.name + "'";
    if (spec.at(Namespace::mount).from == NamespaceChoice::From::host)
        return error(op, "a jail with the host's mounts cannot be entered: its root is no mount",
                     "a jail with mounts of its own");
    if (spec.at(Namespace::pid).from == NamespaceChoice::From::host && record.group.empty())
        return error(op,
                     "a jail with the host's processes and without a control group: what is "
                     "started in it could not be told from others, and would not end with it",
                     "a jail with processes of its own");
    return {};
}

/// The process of an exec: the one that is described, or the jail's own with what is said here.
ProcessSpec process_of(JailSpec const& jail, ExecOptions const& options) {
    if (options.process) return *options.process;
    ProcessSpec process = jail.process;
    process.from_host = false; // if it was shown, it is inside
    process.arguments = options.words;
    process.terminal = options.terminal;
    for (std::string const& variable : options.environment) {
        std::string const name = variable.substr(0, variable.find('=') + 1);
        std::erase_if(process.environment,
                      [&](std::string const& known) { return known.starts_with(name); });
        process.environment.push_back(variable);
    }
    if (!options.directory.empty()) process.directory = options.directory;
    if (options.uid) {
        process.uid = *options.uid;
        process.gid = options.gid.value_or(0);
        process.groups.clear();
    }
    process.groups.insert(process.groups.end(), options.groups.begin(), options.groups.end());
    for (std::uint64_t CapabilitySpec::*set :
         {&CapabilitySpec::bounding, &CapabilitySpec::permitted, &CapabilitySpec::effective})
        process.capabilities.*set |= options.capabilities;
    if (options.no_new_privileges) process.no_new_privileges = true;
    return process;
}

/// The terminal comes before rights are dropped, and before a filter that is not ours.
void add_exec_streams(JailPlan& plan, bool terminal) {
    auto const make = [](Op op, char const* why) {
        return Step{.op = op, .why = why, .path = {}, .text = {}};
    };
    auto const rights = std::find_if(plan.steps.begin(), plan.steps.end(), [](Step const& step) {
        return step.op == Op::filter_calls || step.op == Op::drop_bounding;
    });
    Step streams = make(Op::own_streams, "the program may open its own streams anew");
    streams.number = terminal ? 1 : 0;
    auto const at = plan.steps.insert(rights, std::move(streams));
    if (!terminal) return;
    plan.steps.insert(at, make(Op::open_terminal, "-t: a terminal of the jail's own"));
    auto const session = std::find_if(plan.steps.begin(), plan.steps.end(),
                                      [](Step const& step) { return step.op == Op::new_session; });
    plan.steps.insert(session + 1, make(Op::take_terminal, "its own is its controlling terminal"));
}

class Exec {
public:
    Exec(Record const& record, JailSpec spec, ExecOptions const& options)
        : record_(record)
        , spec_(std::move(spec))
        , options_(options) {}

    Result<int> all() {
        TRY(prepare());
        TRY(signals_.open(relayed_ ? SIGWINCH : 0));
        TRY(start());
        if (options_.detach) return detach();
        return wait();
    }

private:
    Result<void> prepare() {
        jail_ = TRY(open_process(record_.init));
        exec_.jail = jail_.get();
        exec_.namespaces = TRY(foreign_namespaces(record_.init.pid));
        // Where the caller is no id of the jail's, one of the jail's has to be taken on.
        exec_.become_root = (exec_.namespaces & CLONE_NEWUSER) != 0 && ::geteuid() == 0;
        IdMap const ids = choose_ids(spec_); // as when the jail was made
        JailOptions options;
        options.spec = spec_;
        options.spec.process = process_of(spec_, options_);
        options.kept_descriptors = options_.kept_descriptors;
        options.program = options_.program;
        terminal_ = options.spec.process.terminal;
        rows_ = options.spec.process.rows;
        columns_ = options.spec.process.columns;
        program_name_ = options.spec.process.arguments.front();
        relayed_ = terminal_ && options_.console_socket.empty();
        if (relayed_ && options_.detach)
            return error("exec --detach", "there is nobody to give the terminal to",
                         "--console-socket PATH, or without --detach");
        bool const by_process = record_.group.empty() && spec_.limits.memory;
        exec_.plan = TRY(make_exec_plan(
            options, ids, by_process ? MemoryLimit::address_space : MemoryLimit::none));
        add_exec_streams(exec_.plan, terminal_);
        if (options_.detach)
            std::erase_if(exec_.plan.steps,
                          [](Step const& step) { return step.op == Op::die_with_parent; });
        if (relayed_) TRY(relay_.open());
        if (terminal_ && !relayed_) console_ = TRY(connect_console(options_.console_socket));
        for (int fd = 3; fd < 3 + options_.kept_descriptors; ++fd)
            if (::fcntl(fd, F_GETFD) < 0)
                return sys_error(fmt::format("--preserve-fds: descriptor {}", fd),
                                 "as many as are open from 3 on");
        memory_ = TRY(Mapping::create(sizeof(ExecShared), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS));
        shared_ = reinterpret_cast<ExecShared*>(memory_.data());
        go_ = TRY(Pipe::create());
        started_ = TRY(Pipe::create());
        return {};
    }

    Result<void> start() {
        pid_t const first = ::fork();
        if (first < 0) return sys_error("fork");
        if (first == 0) {
            go_.write.reset();
            if (options_.detach && !options_.own_streams) { // nobody waits for what it says
                int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
                for (int fd = 0; fd < 3; ++fd)
                    ::dup2(null, fd);
            }
            ChildSetup setup;
            setup.plan = &exec_.plan;
            setup.go_read = go_.read.get();
            setup.terminal_socket = relayed_ ? relay_.jail_socket() : console_.get();
            winsize const size = relayed_ ? relay_.size() : winsize{};
            setup.rows = relayed_ ? size.ws_row : rows_;
            setup.columns = relayed_ ? size.ws_col : columns_;
            setup.ready = options_.detach ? started_.write.get() : -1;
            exec_main(exec_, *shared_, setup);
        }
        go_.read.reset();
        started_.write.reset();
        relay_.jail_has_it();
        if (!record_.group.empty()) {
            ControlGroup group = TRY(ControlGroup::open(record_.group));
            TRY(group.enter(first));
        }
        (void)write_all(go_.write.get(), "g");
        int status = 0;
        while (::waitpid(first, &status, 0) < 0)
            if (errno != EINTR) return sys_error("waitpid");
        program_ = shared_->program;
        if (program_ == 0) return failure();
        handle_ = TRY(Pidfd::open(program_));
        console_.reset();
        return {};
    }

    Result<int> detach() {
        char byte = 0; // the end of the file: the program has been started, or has failed
        while (::read(started_.read.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        if (shared_->failed_at != 0) return reap();
        TRY(write_pid());
        return 0;
    }

    Result<void> write_pid() const {
        if (options_.pid_file.empty()) return {};
        return write_pid_file_at(options_.pid_file, program_);
    }

    Result<int> wait() {
        TRY(write_pid());
        if (!relayed_) {
            TRY(supervise(handle_, signals_, 0));
            return reap();
        }
        std::vector<pollfd> polled = relay_.polled();
        Service service;
        service.polled = polled;
        service.serve = [&](std::uint64_t&) { relay_.serve(polled); };
        service.other_signal = [&](int) { relay_.resize(); };
        TRY(supervise(handle_, signals_, 0, service));
        relay_.drain();
        relay_.restore();
        return reap();
    }

    Result<int> reap() {
        int status = 0;
        while (::waitpid(program_, &status, 0) < 0)
            if (errno != EINTR) return sys_error("waitpid");
        if (shared_->failed_at != 0) return failure();
        return WIFSIGNALED(status) ? exit_code::from_signal(WTERMSIG(status)) : WEXITSTATUS(status);
    }

    [[nodiscard]] tl::unexpected<Error> failure() const {
        int const code = shared_->failed_errno;
        Error error{"exec in '" + record_.name + "'", std::strerror(code), {}, code};
        switch (static_cast<ExecFailure>(shared_->failed_at.load())) {
        case ExecFailure::none:
            error.cause = "ended before its program ran";
            break;
        case ExecFailure::join:
            error.op = "setns(namespaces of '" + record_.name + "')";
            error.hint = "the user who made the jail";
            break;
        case ExecFailure::identity:
            error.op = "setresuid(0) inside '" + record_.name + "'";
            break;
        case ExecFailure::clone:
            error.op = "clone(into '" + record_.name + "')";
            if (code == EAGAIN) error.hint = "fewer processes inside: the limit is reached";
            break;
        case ExecFailure::step:
            error = step_error(exec_.plan, static_cast<std::size_t>(shared_->failed_step), code);
            break;
        }
        return tl::unexpected<Error>(std::move(error));
    }

    Record const& record_;
    JailSpec const spec_;
    ExecOptions const& options_;
    StopSignals signals_;
    TerminalRelay relay_;
    ExecPlan exec_;
    Mapping memory_;
    ExecShared* shared_ = nullptr;
    Pipe go_;
    Pipe started_;
    Pidfd jail_;
    Pidfd handle_;
    Fd console_; ///< where the master of its terminal is sent, unless we relay
    std::string program_name_;
    std::uint16_t rows_ = 0, columns_ = 0;
    bool terminal_ = false;
    bool relayed_ = false; ///< between its terminal and ours
    pid_t program_ = 0;
};

} // namespace

Result<int> exec_in_jail(Store const& store, std::string const& name, ExecOptions const& options) {
    if (options.words.empty() && !options.process)
        return error("exec", "no program is named", "isolate exec NAME -- PROGRAM [ARG...]");
    Seen const seen = TRY(store.look(name));
    if (seen.record.status != Status::running)
        return error("exec in '" + name + "'",
                     fmt::format("the jail is {}", to_string(seen.record.status)),
                     seen.record.status == Status::created ? "isolate start " + name : "");
    std::string const path = store.path() + "/" + name + "/spec.json";
    std::string const text = TRY(read_file(path));
    JailSpec spec = TRY(spec_from_json(text, path));
    TRY(check_exec(seen.record, spec));
    return Exec(seen.record, std::move(spec), options).all();
}

} // namespace iso::jail
