#include "isolate/life/exec.hpp"

#include "common/mapping.hpp"
#include "isolate/life/exec_child.hpp"
#include "isolate/life/terminal.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/seccomp_profile.hpp"
#include "isolate/spec/spec_json.hpp"
#include "isolate/supervise.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

struct KernelName {
    char const* file;
    int flag;
};
constexpr KernelName k_kernel_names[] = {{"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},
                                         {"pid", CLONE_NEWPID},       {"net", CLONE_NEWNET},
                                         {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},
                                         {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};

/// The namespaces of a process that are not ours too.
Result<int> foreign_namespaces(pid_t pid) {
    int flags = 0;
    for (KernelName const& name : k_kernel_names) {
        struct stat ours {};
        struct stat theirs {};
        if (::stat(fmt::format("/proc/self/ns/{}", name.file).c_str(), &ours) != 0)
            continue; // this kernel has none of the kind
        std::string const path = fmt::format("/proc/{}/ns/{}", pid, name.file);
        if (::stat(path.c_str(), &theirs) != 0)
            return sys_error("stat(" + path + ")", "the user who made the jail");
        if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) flags |= name.flag;
    }
    return flags;
}

/// Where a program of this name may be inside, as execvp(3) looks for it.
std::vector<std::string> places_of(std::string const& name,
                                   std::vector<std::string> const& environment) {
    if (name.find('/') != std::string::npos) return {name};
    std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (std::string const& variable : environment)
        if (variable.starts_with("PATH=")) path = variable.substr(5);
    std::vector<std::string> places;
    for (std::size_t at = 0; at <= path.size();) {
        std::size_t const end = std::min(path.find(':', at), path.size());
        std::string const directory = path.substr(at, end - at);
        places.push_back((directory.empty() ? "." : directory) + "/" + name);
        at = end + 1;
    }
    return places;
}

/// The walls, in the order in which a jail's own program gets them (Planner).
void write_steps(JailPlan& plan, JailSpec const& spec, std::string const& directory,
                 bool terminal) {
    auto add = [&](Op op, char const* why) -> Step& {
        plan.steps.push_back(Step{.op = op, .why = why, .path = {}, .text = {}});
        return plan.steps.back();
    };
    auto limit = [&](int resource, std::uint64_t value) {
        Step& step = add(Op::set_limit, "as the jail's own program has it");
        step.in = resource;
        step.number = value;
    };
    if (spec.limits.tasks) limit(RLIMIT_NPROC, *spec.limits.tasks);
    limit(RLIMIT_CORE, 0);
    add(Op::drop_bounding, "no program started inside can gain a capability");
    add(Op::drop_capabilities, "nor has one now; none can be inherited (CVE-2022-29162)");
    if (terminal) add(Op::open_terminal, "-t: a terminal of the jail's own");
    add(Op::no_new_privileges, "set-user-id files give nothing");
    add(Op::not_dumpable, "cannot be traced from inside before it has become the program");
    add(Op::filter_calls, "the jail's filter");
    add(Op::new_session, "no controlling terminal to type into");
    if (terminal) add(Op::take_terminal, "but its own");
    add(Op::default_signals, "none blocked, none ignored");
    add(Op::change_directory, "inside").path = directory;
    add(Op::close_descriptors, "nothing is inherited but 0, 1 and 2");
}

/// What the walls of an exec do not know yet would be missing in them: it is refused.
Result<void> check_exec(JailSpec const& spec) {
    ProcessSpec const& process = spec.process;
    char const* odd = nullptr;
    if (process.uid != 0 || process.gid != 0 || !process.groups.empty()) odd = "another user";
    if (spec.seccomp.profile != SeccompSpec::Profile::standard) odd = "a filter of its own";
    if (spec.landlock.wanted()) odd = "Landlock rules";
    if (!process.no_new_privileges) odd = "new privileges allowed";
    if (process.capabilities.bounding != 0) odd = "capabilities";
    if (spec.at(Namespace::pid).from == NamespaceChoice::From::host) odd = "the host's processes";
    if (spec.at(Namespace::mount).from == NamespaceChoice::From::host) odd = "the host's mounts";
    if (odd == nullptr) return {};
    return error("exec in '" + spec.name + "'",
                 std::string("a jail with ") + odd + " is not supported yet",
                 "a jail of the usual kind");
}

class Exec {
public:
    Exec(Record const& record, JailSpec spec, ExecOptions const& options)
        : record_(record)
        , spec_(std::move(spec))
        , options_(options) {}

    Result<int> all() {
        TRY(prepare());
        TRY(signals_.open(options_.terminal ? SIGWINCH : 0));
        if (options_.terminal) TRY(relay_.open());
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
        JailPlan& plan = exec_.plan;
        std::vector<std::string> environment = spec_.process.environment;
        environment.insert(environment.end(), options_.environment.begin(),
                           options_.environment.end());
        exec_.places = places_of(options_.words.front(), environment);
        plan.words = options_.words;
        plan.words.insert(plan.words.end(), environment.begin(), environment.end());
        for (std::size_t i = 0; i < plan.words.size(); ++i)
            (i < options_.words.size() ? plan.argv : plan.envp).push_back(plan.words[i].data());
        plan.argv.push_back(nullptr);
        plan.envp.push_back(nullptr);
        plan.filter = default_filter();
        write_steps(plan, spec_,
                    options_.directory.empty() ? spec_.process.directory : options_.directory,
                    options_.terminal);
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
            if (options_.detach) { // nobody waits for what it says
                int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
                for (int fd = 0; fd < 3; ++fd)
                    ::dup2(null, fd);
            }
            ChildSetup setup;
            setup.plan = &exec_.plan;
            setup.go_read = go_.read.get();
            setup.terminal_socket = relay_.jail_socket();
            winsize const size = options_.terminal ? relay_.size() : winsize{};
            setup.rows = size.ws_row;
            setup.columns = size.ws_col;
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
        return {};
    }

    Result<int> detach() {
        char byte = 0; // the end of the file: the program has been started, or has failed
        while (::read(started_.read.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        if (shared_->failed_at != 0) return reap();
        return 0;
    }

    Result<int> wait() {
        if (!options_.terminal) {
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
        case ExecFailure::step: {
            Step const& step = exec_.plan.steps[static_cast<std::size_t>(shared_->failed_step)];
            error.op = describe(step);
            if (step.op == Op::change_directory)
                error.hint = "--workdir with one that exists inside";
            break;
        }
        case ExecFailure::execute:
            error.op = "exec(" + options_.words.front() + ")";
            error.exit_status = code == ENOENT ? exit_code::not_found : exit_code::cannot_execute;
            error.hint = code == ENOENT ? "a program that is inside" : "";
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
    pid_t program_ = 0;
};

} // namespace

Result<int> exec_in_jail(Store const& store, std::string const& name, ExecOptions const& options) {
    if (options.words.empty())
        return error("exec", "no program is named", "isolate exec NAME -- PROGRAM [ARG...]");
    Seen const seen = TRY(store.look(name));
    if (seen.record.status != Status::running)
        return error("exec in '" + name + "'",
                     fmt::format("the jail is {}", to_string(seen.record.status)),
                     seen.record.status == Status::created ? "isolate start " + name : "");
    std::string const path = store.path() + "/" + name + "/spec.json";
    std::string const text = TRY(read_file(path));
    JailSpec spec = TRY(spec_from_json(text, path));
    TRY(check_exec(spec));
    return Exec(seen.record, std::move(spec), options).all();
}

} // namespace iso::jail
