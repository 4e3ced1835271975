#include "isolate/oci/container.hpp"

#include "isolate/life/hooks.hpp"
#include "isolate/life/keeper.hpp"
#include "isolate/life/pid_file.hpp"
#include "isolate/life/terminal.hpp"
#include "isolate/life/verbs.hpp"
#include "isolate/oci/log.hpp"
#include "isolate/spec/oci_config.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

constexpr std::size_t k_longest_config = std::size_t{8} << 20U;

/// config-linux.md, "Default Devices", and what lets terminals work: whatever the rules say, these
/// are allowed, as every other runtime has it.
void allow_usual_devices(LimitSpec& limits) {
    if (limits.devices.empty()) return;
    auto allow = [&](char type, std::optional<std::int64_t> major,
                     std::optional<std::int64_t> minor, char const* access) {
        limits.devices.push_back({true, type, major, minor, access});
    };
    allow('c', {}, {}, "m");
    allow('b', {}, {}, "m");
    for (int const minor : {3, 5, 7, 8, 9}) // null, zero, full, random, urandom
        allow('c', 1, minor, "rwm");
    for (int const minor : {0, 1, 2}) // tty, console, ptmx
        allow('c', 5, minor, "rwm");
    allow('c', 136, {}, "rwm"); // what is in /dev/pts
}

/// config.md, "Linux Process": capabilities that cannot be granted are a warning, no error.
Result<void> drop_what_cannot_be_granted(JailSpec& spec) {
    CapabilitySpec& sets = spec.process.capabilities;
    CapabilitySpec const asked = sets;
    if (spec.at(Namespace::user).from == NamespaceChoice::From::host) {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct held[2] = {};
        if (::syscall(SYS_capget, &header, held) != 0) return sys_error("capget");
        std::uint64_t const own = held[0].permitted | std::uint64_t{held[1].permitted} << 32U;
        for (std::uint64_t CapabilitySpec::*set :
             {&CapabilitySpec::bounding, &CapabilitySpec::permitted, &CapabilitySpec::effective,
              &CapabilitySpec::inheritable, &CapabilitySpec::ambient})
            sets.*set &= own;
    }
    sets.effective &= sets.permitted;
    sets.ambient &= sets.permitted & sets.inheritable; // capabilities(7)
    if (!(sets == asked))
        log_line("debug", "process.capabilities: those that cannot be granted are left out");
    return {};
}

Result<std::string> resolve_directory(std::string const& path) {
    std::unique_ptr<char, void (*)(void*)> const found(::realpath(path.c_str(), nullptr),
                                                       std::free);
    if (!found) return sys_error("--bundle " + path, "the directory that holds config.json");
    return std::string(found.get());
}

} // namespace

Result<bool> wants_terminal(std::string const& bundle) {
    std::string const directory = TRY(resolve_directory(bundle));
    std::string const path = directory + "/config.json";
    std::string const text = TRY(read_file(path, k_longest_config));
    return TRY(read_oci_config(text, directory, path)).spec.process.terminal;
}

Result<void> Container::create() {
    TRY(read_bundle());
    TRY(check_terminal());
    Order order;
    order.options.spec = options_.spec;
    order.record = record_;
    JailDirectory jail = TRY(take_name(store_, order));
    record_ = order.record;
    auto built = build(jail);
    if (built) return built;
    launch_.reset(); // ends what there is of it
    limits_ = JailLimits();
    record_.status = Status::stopped;
    std::string const state = state_json(store_, {record_, {}, false});
    (void)jail.remove();
    if (hooked_) run_late_hooks(options_.spec, "poststop", state);
    return built;
}

Result<void> Container::read_bundle() {
    record_.name = order_.id;
    record_.bundle = TRY(resolve_directory(order_.bundle));
    std::string const path = record_.bundle + "/config.json";
    std::string const text = TRY(read_file(path, k_longest_config));
    OciConfig config = TRY(read_oci_config(text, record_.bundle, path));
    for (std::string const& note : config.notes)
        log_line("debug", note);
    JailSpec& spec = options_.spec;
    spec = std::move(config.spec);
    spec.name = order_.id;
    spec.limits.required = order_.limits_required;
    allow_usual_devices(spec.limits);
    TRY(drop_what_cannot_be_granted(spec));
    options_.own_init = false;
    options_.kept_descriptors = order_.kept_descriptors;
    options_.command_line = order_.command_line;
    record_.annotations = spec.annotations;
    record_.detached = true;
    record_.own_init = false;
    record_.terminal = spec.process.terminal;
    // One that is missing would be a descriptor of ours.
    for (int fd = 3; fd < 3 + order_.kept_descriptors; ++fd)
        if (::fcntl(fd, F_GETFD) < 0)
            return sys_error(
                fmt::format("--preserve-fds {}: descriptor {}", order_.kept_descriptors, fd),
                "as many as are open from 3 on");
    return {};
}

Result<void> Container::check_terminal() const {
    bool const given = !order_.console_socket.empty() || order_.terminal.valid();
    if (options_.spec.process.terminal && !given)
        return error("process.terminal", "there is nobody to give the terminal to",
                     "--console-socket PATH, or run without --detach");
    if (!options_.spec.process.terminal && given)
        return error("--console-socket", "the container has no terminal",
                     "\"terminal\": true in config.json");
    return {};
}

Result<void> Container::build(JailDirectory& jail) {
    if (order_.terminal)
        console_ = std::move(order_.terminal);
    else if (options_.spec.process.terminal)
        console_ = TRY(connect_console(order_.console_socket));
    listener_ = TRY(listen_for_start(jail.fd()));
    TRY(plan());
    TRY(begin(jail));
    TRY(launch_->map_ids());
    if (limits_.joins()) {
        TRY(limits_.join(launch_->pid(), false));
        launch_->go();
    }
    TRY(run_creation_hooks());
    TRY(await('c'));
    record_.status = Status::created;
    record_.keeper = {}; // nobody notes how it ends: whoever waits for it knows
    TRY(jail.write_record(record_));
    return write_pid_file();
}

Result<void> Container::plan() {
    JailSpec const& spec = options_.spec;
    MemoryLimit memory = MemoryLimit::none;
    if (order_.groups) {
        GroupOptions group;
        group.every_controller = true; // it can be paused, counted, changed
        TRY(limits_.prepare(spec, group));
        for (std::string const& warning : limits_.warnings())
            log_line("warning", warning);
        if (limits_.address_space())
            memory =
                limits_.joins() ? MemoryLimit::address_space_in_cgroup : MemoryLimit::address_space;
        else if (limits_.joins())
            memory = MemoryLimit::cgroup;
    } else if (spec.limits.any()) {
        log_line("warning", "no control group is made, as asked: limits are not enforced");
    }
    options_.groups = limits_.group().places();
    plan_ = TRY(make_plan(options_, choose_ids(spec), memory));
    Arrangement arranged;
    arranged.terminal = spec.process.terminal;
    arranged.hooks = has_hooks(spec, "prestart") || has_hooks(spec, "createRuntime") ||
                     has_hooks(spec, "createContainer");
    arranged.outlives = order_.outlives;
    arranged.directory = spec.process.directory;
    arranged.new_keyring = order_.new_keyring;
    arrange_container(plan_, arranged);
    return {};
}

Result<void> Container::begin(JailDirectory& jail) {
    launch_ = std::make_unique<Launch>(plan_);
    TRY(launch_->prepare(false));
    ChildSetup named;
    std::vector<int> ours = jail.descriptors();
    ours.push_back(store_.fd());
    named.ours = ours;
    named.start_listener = listener_.get();
    named.terminal_socket = console_.get();
    ProcessSpec const& process = options_.spec.process;
    named.rows = order_.rows != 0 ? order_.rows : process.rows;
    named.columns = order_.columns != 0 ? order_.columns : process.columns;
    TRY(launch_->announce(named));
    TRY(launch_->start(options_.command_line, false));
    listener_.reset(); // the container has its own: it alone says whether it still waits
    console_.reset();
    record_.init = TRY(identify(launch_->pid()));
    if (limits_.joins()) record_.group = limits_.group().record();
    return jail.write_record(record_);
}

Result<void> Container::run_creation_hooks() {
    JailSpec const& spec = options_.spec;
    if (!has_hooks(spec, "prestart") && !has_hooks(spec, "createRuntime") &&
        !has_hooks(spec, "createContainer"))
        return {};
    TRY(await('h'));
    hooked_ = true;
    std::string const state = state_json(store_, {record_, {}, false});
    TRY(run_hooks(spec, "prestart", state));
    TRY(run_hooks(spec, "createRuntime", state));
    TRY(run_hooks(spec, "createContainer", state, launch_->pid()));
    launch_->go();
    return {};
}

/// Waits until process 1 has come so far.
Result<void> Container::await(char told) {
    char byte = 0;
    ssize_t got = 0;
    do
        got = ::read(launch_->ready_fd(), &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1 && byte == told) return {};
    int const status = TRY(launch_->reap(nullptr));
    if (launch_->failed()) return tl::unexpected<Error>(launch_->failure());
    return error("container '" + order_.id + "'",
                 fmt::format("process 1 ended before it was created (wait status {:#x})", status));
}

/// A client may look at any moment: it finds the number or nothing.
Result<void> Container::write_pid_file() const {
    if (order_.pid_file.empty()) return {};
    return write_pid_file_at(order_.pid_file, launch_->pid());
}

void Container::let_go() {
    launch_->let_go();
    limits_.group().keep();
}

} // namespace iso::jail
