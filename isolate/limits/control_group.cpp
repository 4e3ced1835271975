#include "isolate/limits/control_group.hpp"

#include "common/clock.hpp"
#include "common/pidfd.hpp"
#include "isolate/limits/device_program.hpp"
#include "isolate/limits/guardian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <unistd.h>

#include <sys/wait.h>

namespace iso::jail {

namespace {

std::string value_of(std::string const& path) {
    std::string text = read_file(path, 4096).value_or("");
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

/// Version 1: a new group of the cpuset controller has no CPU and no memory node, and takes no
/// process until it has (cgroup-v1/cpusets.rst). It gets those of the group above.
Result<void> inherit_cpuset(GroupPlace const& place) {
    for (char const* const file : {"/cpuset.cpus", "/cpuset.mems"}) {
        std::string above = value_of(place.mount + file);
        for (std::size_t slash = 0; slash != std::string::npos;) {
            slash = place.name.find('/', slash + 1);
            std::string const path = place.mount + place.name.substr(0, slash) + file;
            std::string const own = value_of(path);
            if (own.empty()) {
                TRY(write_file(path, above));
            } else {
                above = own;
            }
        }
    }
    return {};
}

std::vector<std::string> missing_above(GroupPlace const& place) {
    std::vector<std::string> missing;
    for (std::size_t slash = place.name.find('/', 1); slash != std::string::npos;
         slash = place.name.find('/', slash + 1)) {
        std::string directory = place.mount + place.name.substr(0, slash);
        if (!is_there(directory)) missing.push_back(std::move(directory));
    }
    return missing;
}

} // namespace

ControlGroup::ControlGroup() = default;

ControlGroup::ControlGroup(ControlGroup&& other) noexcept
    : ControlGroup() {
    *this = std::move(other);
}

ControlGroup& ControlGroup::operator=(ControlGroup&& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(backend_, other.backend_);
    std::swap(places_, other.places_);
    std::swap(made_above_, other.made_above_);
    std::swap(clone_fd_, other.clone_fd_);
    std::swap(owned_, other.owned_);
    std::swap(guardian_, other.guardian_);
    std::swap(guardian_pipe_, other.guardian_pipe_);
    return *this;
}

ControlGroup::~ControlGroup() {
    if (!owned_) return;
    (void)kill_all();
    (void)remove();
}

Result<ControlGroup> ControlGroup::create(GroupPlan& plan, GroupOptions const& options,
                                          bool required) {
    ControlGroup group;
    group.kind_ = options.backend;
    group.backend_ = make_group_backend(options.backend);
    // A group of that name may be there, but not in use: its processes would get our limits, and be
    // ended with our jail.
    if (!options.path.empty())
        for (GroupPlace const& place : plan.places)
            if (is_there(place.directory()) &&
                !value_of(place.directory() + "/cgroup.procs").empty())
                return error("mkdir(" + place.directory() + ")",
                             "there are processes in this group",
                             "another name, or isolate list to see whose it is");
    group.places_ = plan.places;
    for (GroupPlace const& place : plan.places)
        for (std::string& directory : missing_above(place))
            group.made_above_.push_back(std::move(directory));
    group.owned_ = true; // from here on its destructor tidies up
    if (options.guarded) TRY(group.start_guardian());
    TRY(group.make(plan, required));
    return group;
}

Result<void> ControlGroup::start_guardian() {
    Pipe pipe = TRY(Pipe::create());
    Pidfd const self = TRY(Pidfd::open(::getpid()));
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
        ::setsid();
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        // It holds none of the caller's descriptors open.
        ::dup3(pipe.read.get(), 0, 0);
        ::dup3(self.get(), 1, 0);
        ::close_range(2, ~0U, 0);
        guard(0, 1, places_, made_above_);
    }
    guardian_ = pid;
    guardian_pipe_ = std::move(pipe.write);
    return {};
}

void ControlGroup::end_guardian(char order) {
    if (guardian_ < 0) return;
    sigset_t pipe_signal;
    sigset_t before;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &pipe_signal, &before);
    (void)!::write(guardian_pipe_.get(), &order, 1);
    guardian_pipe_.reset();
    while (::waitpid(guardian_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    guardian_ = -1;
}

Result<void> ControlGroup::make(GroupPlan& plan, bool required) {
    TRY(backend_->make(places_));
    for (GroupPlace const& place : places_) {
        if (!place.v2 && place.has("cpuset")) TRY(inherit_cpuset(place));
        if (place.v2) clone_fd_ = TRY(Fd::open(place.directory(), O_RDONLY | O_DIRECTORY));
    }
    std::vector<PlacedSetting> present;
    for (PlacedSetting& setting : plan.settings) {
        if (!setting.setting.may_be_missing ||
            is_there(places_[setting.place].directory() + "/" + setting.setting.file)) {
            present.push_back(std::move(setting));
            continue;
        }
        plan.unenforced.push_back({setting.setting.what,
                                   "this kernel has no " + setting.setting.file,
                                   "a kernel that is built and started with it",
                                   {},
                                   false});
        if (required)
            return error(
                "limits",
                fmt::format("{}: {}", plan.unenforced.back().what, plan.unenforced.back().why),
                plan.unenforced.back().hint + "; or go without --require-limits");
    }
    plan.settings = std::move(present);
    TRY(backend_->write(places_, plan.settings));
    if (!plan.device_program.empty())
        TRY(attach_device_program(clone_fd_.get(), plan.device_program));
    return {};
}

Result<ControlGroup> ControlGroup::open(std::string const& record, GroupBackendKind backend) {
    ControlGroup group;
    group.kind_ = backend;
    group.backend_ = make_group_backend(backend);
    std::istringstream lines(record);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string kind;
        GroupPlace place;
        words >> kind;
        if (kind == "above") {
            std::getline(words >> std::ws, line);
            group.made_above_.push_back(line);
            continue;
        }
        std::string controllers;
        words >> controllers;
        std::getline(words >> std::ws, place.mount, '\t');
        std::getline(words, place.name);
        bool const sound = (kind == "1" || kind == "2") && place.mount.starts_with('/') &&
                           place.name.size() > 1 && place.name.starts_with('/') &&
                           (place.name + "/").find("/../") == std::string::npos;
        if (!sound) return error("control group", "'" + line + "' is no record of one");
        place.v2 = kind == "2";
        std::istringstream each(controllers == "-" ? "" : controllers);
        for (std::string name; std::getline(each, name, ',');)
            place.controllers.push_back(name);
        if (place.v2)
            if (auto fd = Fd::open(place.directory(), O_RDONLY | O_DIRECTORY))
                group.clone_fd_ = std::move(*fd);
        group.places_.push_back(std::move(place));
    }
    return group;
}

std::string ControlGroup::record() const {
    std::string text;
    for (GroupPlace const& place : places_) {
        std::string controllers;
        for (std::string const& name : place.controllers)
            controllers += (controllers.empty() ? "" : ",") + name;
        text += fmt::format("{} {} {}\t{}\n", place.v2 ? 2 : 1,
                            controllers.empty() ? "-" : controllers, place.mount, place.name);
    }
    for (std::string const& directory : made_above_)
        text += "above " + directory + "\n";
    return text;
}

bool ControlGroup::needs_attach() const {
    return std::any_of(places_.begin(), places_.end(), [](auto const& place) { return !place.v2; });
}

Result<void> ControlGroup::attach(pid_t pid) {
    std::vector<GroupPlace> v1;
    std::copy_if(places_.begin(), places_.end(), std::back_inserter(v1),
                 [](auto const& place) { return !place.v2; });
    return backend_->attach(v1, pid);
}

Result<void> ControlGroup::enter(pid_t pid) {
    return backend_->attach(places_, pid);
}

Result<void> ControlGroup::remove() {
    if (places_.empty()) return {};
    std::uint64_t const deadline = monotonic_ns() + 1'000'000'000;
    Result<void> result;
    for (GroupPlace const& place : places_) {
        Result<void> removed;
        // The last process has been reaped, but the kernel may still be taking it out of its group.
        while (
            !(removed = is_there(place.directory()) ? backend_->remove(place) : Result<void>()) &&
            removed.error().code == EBUSY && monotonic_ns() < deadline)
            ::usleep(500);
        if (!removed && result) result = std::move(removed);
    }
    if (!result) return result;
    for (auto above = made_above_.rbegin(); above != made_above_.rend(); ++above)
        ::rmdir(above->c_str()); // stays if somebody else uses it by now
    places_.clear();
    made_above_.clear();
    clone_fd_.reset();
    owned_ = false;
    end_guardian(k_guardian_done);
    return {};
}

void ControlGroup::keep() {
    owned_ = false;
    end_guardian(k_guardian_done);
}

GroupPlace const* ControlGroup::place(std::string const& controller) const {
    for (GroupPlace const& place : places_)
        if (place.has(controller) || (controller == "blkio" && place.v2 && place.has("io")))
            return &place;
    return nullptr;
}

std::string ControlGroup::text(std::string const& controller, std::string const& file) const {
    GroupPlace const* const found = place(controller);
    return found == nullptr ? "" : backend_->read(*found, controller, file).value_or("");
}

std::uint64_t ControlGroup::number(std::string const& controller, std::string const& file) const {
    std::string const value = text(controller, file);
    return value == "max" ? k_unlimited : std::strtoull(value.c_str(), nullptr, 10);
}

std::string ControlGroup::name() const {
    std::string text;
    for (GroupPlace const& place : places_) {
        std::string controllers;
        for (std::string const& name : place.controllers)
            controllers += (controllers.empty() ? "" : ",") + name;
        text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", controllers,
                            controllers.empty() ? "" : " ", place.name);
    }
    return text;
}

} // namespace iso::jail
