// What a jail's control group will be, decided by what this machine has and the caller may.
#include "common/fd.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/limits/group_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

#include <sys/random.h>
#include <sys/resource.h>

namespace iso::jail {

namespace {

bool may_write(std::string const& path) {
    return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

std::string first_line(std::string const& path) {
    std::string text = read_file(path, 4096).value_or("");
    return text.substr(0, text.find('\n'));
}

/// No two groups may have one name, not even those of launchers with the same process id in
/// different process namespaces.
std::string own_name() {
    std::uint32_t random = 0;
    (void)!::getrandom(&random, sizeof random, 0);
    return fmt::format("/isolate.{}-{:08x}", ::getpid(), random);
}

Result<void> check_list(char const* what, std::string const& list) {
    if (list.find_first_not_of("0123456789,- ") == std::string::npos) return {};
    return refused(what, "'" + list + "' is not a list of numbers",
                   "a list like 0-1,3 (cpuset(7))");
}

Result<void> check_values(LimitSpec const& limits) {
    TRY(check_list("cpus", limits.cpus));
    TRY(check_list("memory nodes", limits.memory_nodes));
    if (limits.cpu_shares && (*limits.cpu_shares < 2 || *limits.cpu_shares > 262144))
        return refused("CPU shares", fmt::format("{} is not from 2 to 262144", *limits.cpu_shares),
                       "1024 for the usual share, 512 for half of it");
    if (limits.io_weight && (*limits.io_weight < 10 || *limits.io_weight > 1000))
        return refused("I/O weight", fmt::format("{} is not from 10 to 1000", *limits.io_weight),
                       "a weight in between; 500 is usual");
    for (DeviceRule const& rule : limits.devices) {
        bool const access =
            !rule.access.empty() && rule.access.find_first_not_of("rwm") == std::string::npos;
        if (!access || (rule.type != 'a' && rule.type != 'b' && rule.type != 'c'))
            return refused("device rule", "'" + device_line(rule) + "' is no rule",
                           "type a, b or c, and access of r, w and m");
    }
    for (auto const& [file, value] : limits.unified) {
        std::size_t const dot = file.find('.');
        bool const name =
            dot != 0 && dot != std::string::npos && file.find_first_of("/\n") == std::string::npos;
        if (!name || file.starts_with("cgroup."))
            return refused("unified", "'" + file + "' is not a controller's file",
                           "a name like memory.high");
    }
    return {};
}

class GroupPlanner {
public:
    GroupPlanner(LimitSpec const& limits, GroupOptions const& options,
                 Hierarchies const& hierarchies)
        : limits_(limits)
        , options_(options)
        , hierarchies_(hierarchies) {}

    Result<GroupPlan> plan() {
        TRY(check_values(limits_));
        path_ = TRY(read_group_path(options_.path));
        if (path_.path.empty()) path_.path = own_name();
        plan_.hierarchies = hierarchies_.text();
        wanted_ = controllers_for(limits_);
        if (options_.every_controller) want_all();
        for (std::string const& controller : wanted_)
            place_v1(controller);
        place_v2();
        write_settings();
        fall_back();
        if (limits_.required) TRY(insist());
        return std::move(plan_);
    }

private:
    void want_all() {
        for (Hierarchy const& hierarchy : hierarchies_.all)
            for (std::string const& name : hierarchy.controllers) {
                std::string const controller = name == "io" ? "blkio" : name;
                if (name.find('=') == std::string::npos &&
                    std::find(wanted_.begin(), wanted_.end(), controller) == wanted_.end())
                    wanted_.push_back(controller);
            }
    }

    void cannot(std::string const& controller, std::string const& why, std::string const& hint) {
        for (char const* const name : names_of(limits_, controller)) {
            // A controller that nobody asked for by a limit is only a convenience.
            auto const asked = controllers_for(limits_);
            if (std::find(asked.begin(), asked.end(), controller) == asked.end()) return;
            plan_.unenforced.push_back({name, why, hint, {}, false});
        }
    }

    void add_place(Hierarchy const& hierarchy, std::string const& name,
                   std::string const& controller) {
        for (GroupPlace& place : plan_.places)
            if (place.mount == hierarchy.mount) {
                if (!controller.empty() && !place.has(controller))
                    place.controllers.push_back(controller);
                return;
            }
        plan_.places.push_back({hierarchy.mount, name, {}, hierarchy.v2});
        if (!controller.empty()) plan_.places.back().controllers.push_back(controller);
    }

    std::string name_below(std::string const& own) const {
        return path_.absolute ? path_.path : own + path_.path;
    }

    /// The nearest directory above a name that is there decides who may make it.
    static bool may_make(std::string const& mount, std::string name) {
        if (is_there(mount + name)) return may_write(mount + name);
        while (!name.empty()) {
            name.resize(name.rfind('/'));
            if (is_there(mount + name)) return may_write(mount + name);
        }
        return false;
    }

    void place_v1(std::string const& controller) {
        Hierarchy const* const hierarchy = hierarchies_.with(controller);
        if (hierarchy == nullptr) {
            // Device rules of version 2 are a program, not a controller.
            if (controller == "devices" && hierarchies_.v2() != nullptr) return;
            cannot(controller, fmt::format("no {} controller here", controller),
                   "a kernel and a system that mount it (control groups: " + hierarchies_.text() +
                       ")");
            return;
        }
        if (hierarchy->v2) {
            wanted_v2_.push_back(controller == "blkio" ? "io" : controller);
            return;
        }
        std::string const name = name_below(hierarchy->own);
        if (!may_make(hierarchy->mount, name)) {
            cannot(controller,
                   fmt::format("no group may be made in {}{}", hierarchy->mount, hierarchy->own),
                   "root, or a group that was handed over to you");
            return;
        }
        for (auto const& entry : limits_.unified)
            if (entry.first.starts_with(controller + "."))
                plan_.unenforced.push_back({"unified " + entry.first,
                                            "a file of control groups version 2; the " +
                                                controller + " controller is one of version 1 here",
                                            "a system with version 2",
                                            {},
                                            false});
        add_place(*hierarchy, name, controller);
    }

    /// How many of the wanted controllers a group below `parent` would have.
    std::vector<std::string> available(Hierarchy const& hierarchy,
                                       std::string const& parent) const {
        std::string const directory = hierarchy.mount + parent;
        if (!may_write(directory) || !may_write(directory + "/cgroup.procs")) return {};
        std::string const handed_down = first_line(directory + "/cgroup.subtree_control");
        std::string const has = first_line(directory + "/cgroup.controllers");
        // Controllers can be handed down by the top, and by groups without processes of their own
        // (cgroup-v2.rst, "No Internal Process Constraint").
        bool const can_hand_down = may_write(directory + "/cgroup.subtree_control") &&
                                   (!is_there(directory + "/cgroup.type") ||
                                    first_line(directory + "/cgroup.procs").empty());
        std::vector<std::string> result;
        for (std::string const& controller : wanted_v2_)
            if (lists(handed_down, controller) || (can_hand_down && lists(has, controller)))
                result.push_back(controller);
        return result;
    }

    void place_v2() {
        Hierarchy const* const hierarchy = hierarchies_.v2();
        if (hierarchy == nullptr) return;
        bool const rules = !limits_.devices.empty() && hierarchies_.with("devices") == nullptr;
        if (wanted_v2_.empty() && !rules && !options_.every_controller) return;
        if (path_.absolute) {
            if (!may_make(hierarchy->mount, path_.path)) return nothing_v2(*hierarchy, rules);
            for (std::string const& controller : wanted_v2_)
                add_place(*hierarchy, path_.path, controller);
            add_place(*hierarchy, path_.path, "");
            if (rules) plan_.device_program = limits_.devices;
            return;
        }
        // Below the caller's group if that can be, else beside it: a group with processes, such as
        // the one that we are in, hands nothing down.
        std::optional<std::string> best;
        std::vector<std::string> best_has;
        for (std::string parent = hierarchy->own;; parent.resize(parent.rfind('/'))) {
            auto has = available(*hierarchy, parent);
            bool const may = may_write(hierarchy->mount + parent) &&
                             may_write(hierarchy->mount + parent + "/cgroup.procs");
            if (may && (!best || has.size() > best_has.size())) {
                best = parent;
                best_has = std::move(has);
            }
            if (parent.empty() || best_has.size() == wanted_v2_.size()) break;
        }
        if (!best) return nothing_v2(*hierarchy, rules);
        add_place(*hierarchy, *best + path_.path, "");
        for (std::string const& controller : wanted_v2_) {
            if (std::find(best_has.begin(), best_has.end(), controller) != best_has.end()) {
                add_place(*hierarchy, *best + path_.path, controller);
            } else {
                cannot(controller == "io" ? "blkio" : controller,
                       fmt::format("the {} controller is not handed down to {}{}", controller,
                                   hierarchy->mount, hierarchy->own),
                       "root, or systemd-run --user --scope -p Delegate=yes");
            }
        }
        if (best_has.empty() && !rules && !options_.every_controller) plan_.places.pop_back();
        if (rules) plan_.device_program = limits_.devices;
    }

    void nothing_v2(Hierarchy const& hierarchy, bool rules) {
        auto why = fmt::format("no group may be made in {}{}", hierarchy.mount, hierarchy.own);
        char const* const hint = "root, or systemd-run --user --scope -p Delegate=yes";
        for (std::string const& controller : wanted_v2_)
            cannot(controller == "io" ? "blkio" : controller, why, hint);
        if (rules) cannot("devices", why, hint);
    }

    void write_settings() {
        for (std::size_t i = 0; i < plan_.places.size(); ++i)
            for (std::string const& controller : plan_.places[i].controllers)
                for (Setting& setting : settings_for(
                         limits_, controller == "io" ? "blkio" : controller, plan_.places[i].v2))
                    plan_.settings.push_back({i, std::move(setting)});
        // Version 1 limits swap only together with memory.
        if (limits_.swap && !limits_.memory)
            if (Hierarchy const* const hierarchy = hierarchies_.with("memory");
                hierarchy != nullptr && !hierarchy->v2)
                plan_.unenforced.push_back(
                    {"swap",
                     "control groups version 1 count memory and swap together",
                     "a memory limit as well",
                     {},
                     false});
    }

    void fall_back() {
        bool as = false;
        for (Unenforced& limit : plan_.unenforced) {
            if (limit.what == "memory" && *limits_.memory != k_unlimited) {
                limit.instead = "RLIMIT_AS, for each process by itself";
                plan_.rlimits.push_back({RLIMIT_AS, *limits_.memory, *limits_.memory});
                as = true;
            }
            if (limit.what == "tasks") {
                // The kernel counts the tasks of the jail's own user namespace against it.
                limit.instead = "RLIMIT_NPROC";
                limit.same = true;
                plan_.rlimits.push_back({RLIMIT_NPROC, *limits_.tasks, *limits_.tasks});
            }
        }
        // RLIMIT_AS counts memory wherever it is: no swap is kept by it as well.
        if (as && limits_.swap == 0)
            std::erase_if(plan_.unenforced, [](auto const& limit) { return limit.what == "swap"; });
    }

    Result<void> insist() const {
        std::string all;
        for (Unenforced const& limit : plan_.unenforced)
            if (!limit.same) all += (all.empty() ? "" : "; ") + limit.what + ": " + limit.why;
        if (all.empty()) return {};
        return error("limits", all,
                     plan_.unenforced.front().hint + "; or go without --require-limits");
    }

    LimitSpec const& limits_;
    GroupOptions const& options_;
    Hierarchies const& hierarchies_;
    GroupPath path_;
    GroupPlan plan_;
    std::vector<std::string> wanted_;
    std::vector<std::string> wanted_v2_;
};

} // namespace

std::vector<std::string> GroupPlan::lines() const {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < places.size(); ++i) {
        result.push_back(fmt::format("mkdir({})", places[i].directory()));
        for (auto const& [place, setting] : settings)
            if (place == i)
                result.push_back(fmt::format("write({}, \"{}\")", setting.file, setting.value));
    }
    if (!device_program.empty())
        result.push_back(
            fmt::format("bpf(BPF_PROG_ATTACH, {} device rules)", device_program.size()));
    return result;
}

std::string to_string(Unenforced const& limit) {
    return fmt::format("{} is not enforced by a control group: {}{}{}", limit.what, limit.why,
                       limit.instead.empty() ? "" : "; instead: ", limit.instead);
}

Result<GroupPlan> plan_group(LimitSpec const& limits, GroupOptions const& options) {
    if (!limits.any() && !options.every_controller) return GroupPlan{};
    Hierarchies const hierarchies = TRY(find_hierarchies());
    return plan_group(limits, options, hierarchies);
}

Result<GroupPlan> plan_group(LimitSpec const& limits, GroupOptions const& options,
                             Hierarchies const& hierarchies) {
    return GroupPlanner(limits, options, hierarchies).plan();
}

} // namespace iso::jail
