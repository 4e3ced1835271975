// Control groups through libcgroup. The library finds mounts and versions by itself and knows a
// group by one name in all hierarchies, so places are handed to it by name.
#include "isolate/limits/backend.hpp"

#include <fmt/format.h>
#include <libcgroup.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace iso::jail {

namespace {

tl::unexpected<Error> library_error(std::string op, int code,
                                    std::source_location at = std::source_location::current()) {
    int const number = code == ECGOTHER ? cgroup_get_last_errno() : 0;
    char const* const cause = code == ECGOTHER ? std::strerror(number) : cgroup_strerror(code);
    return tl::unexpected<Error>(
        Error{std::move(op), cause, {}, number, exit_code::engine_failed, at});
}

struct GroupDeleter {
    void operator()(cgroup* group) const { cgroup_free(&group); }
};
using LibraryGroup = std::unique_ptr<cgroup, GroupDeleter>;

/// libcgroup's names start without a slash.
Result<LibraryGroup> new_group(std::string const& name) {
    LibraryGroup group(cgroup_new_cgroup(name.c_str() + 1));
    if (!group)
        return error("cgroup_new_cgroup(" + name + ")", "out of memory, or too long a name");
    return group;
}

Result<cgroup_controller*> add_controller(LibraryGroup const& group, std::string const& name) {
    cgroup_controller* controller = cgroup_get_controller(group.get(), name.c_str());
    if (controller == nullptr) controller = cgroup_add_controller(group.get(), name.c_str());
    if (controller == nullptr) return error("cgroup_add_controller(" + name + ")", "refused");
    return controller;
}

class LibcgroupBackend final : public GroupBackend {
public:
    Result<void> make(std::vector<GroupPlace> const& places) override {
        TRY(start());
        std::vector<bool> done(places.size());
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (done[i]) continue;
            if (places[i]
                    .controllers.empty()) { // version 2 for its own sake: no name for that here
                TRY(direct_->make({places[i]}));
                continue;
            }
            LibraryGroup const group = TRY(new_group(places[i].name));
            for (std::size_t j = i; j < places.size(); ++j) {
                if (places[j].name != places[i].name || places[j].controllers.empty()) continue;
                done[j] = true;
                for (std::string const& controller : places[j].controllers)
                    (void)TRY(add_controller(group, controller));
            }
            if (int const code = cgroup_create_cgroup(group.get(), 1); code != 0)
                return library_error(fmt::format("cgroup_create_cgroup({})", places[i].name), code);
        }
        return {};
    }

    /// One cgroup_modify_cgroup for as many settings as the library takes at once: of one name, and
    /// each file once.
    Result<void> write(std::vector<GroupPlace> const& places,
                       std::vector<PlacedSetting> const& settings) override {
        TRY(start());
        for (std::size_t next = 0; next < settings.size();) {
            std::string const& name = places[settings[next].place].name;
            LibraryGroup const group = TRY(new_group(name));
            std::string what;
            for (std::size_t const first = next; next < settings.size(); ++next) {
                auto const& [place, setting] = settings[next];
                if (places[place].name != name) break;
                cgroup_controller* const controller =
                    TRY(add_controller(group, setting.controller));
                int const code = cgroup_add_value_string(controller, setting.file.c_str(),
                                                         setting.value.c_str());
                if (code == ECGVALUEEXISTS && next > first) break;
                if (code != 0) return library_error("cgroup_add_value(" + setting.file + ")", code);
                what +=
                    fmt::format("{}{} = {}", what.empty() ? "" : ", ", setting.file, setting.value);
            }
            if (int const code = cgroup_modify_cgroup(group.get()); code != 0)
                return library_error(fmt::format("cgroup_modify_cgroup({}: {})", name, what), code);
        }
        return {};
    }

    Result<std::string> read(GroupPlace const& place, std::string const& controller,
                             std::string const& file) override {
        TRY(start());
        char line[k_line_max];
        void* handle = nullptr;
        std::string text;
        std::string name = file; // the library asks for it writable
        int code = cgroup_read_value_begin(controller.c_str(), place.name.c_str() + 1, name.data(),
                                           &handle, line, sizeof line);
        while (code == 0) {
            text += line;
            code = cgroup_read_value_next(&handle, line, sizeof line);
        }
        if (handle != nullptr) cgroup_read_value_end(&handle);
        if (code != ECGEOF)
            return library_error(fmt::format("cgroup_read_value({}/{})", place.directory(), file),
                                 code);
        if (text.ends_with('\n')) text.pop_back();
        return text;
    }

    Result<void> attach(std::vector<GroupPlace> const& places, pid_t pid) override {
        TRY(start());
        for (GroupPlace const& place : places) {
            if (place.controllers.empty()) {
                TRY(direct_->attach({place}, pid));
                continue;
            }
            LibraryGroup const group = TRY(new_group(place.name));
            (void)TRY(add_controller(group, place.controllers.front()));
            if (int const code = cgroup_attach_task_pid(group.get(), pid); code != 0)
                return library_error(
                    fmt::format("cgroup_attach_task_pid({}, {})", place.directory(), pid), code);
        }
        return {};
    }

    Result<std::vector<pid_t>> processes(GroupPlace const& place) override {
        if (place.controllers.empty()) return direct_->processes(place);
        TRY(start());
        std::string name = place.name.substr(1);
        std::string controller = place.controllers.front();
        pid_t* list = nullptr;
        int size = 0;
        if (int const code = cgroup_get_procs(name.data(), controller.data(), &list, &size);
            code != 0)
            return library_error("cgroup_get_procs(" + place.directory() + ")", code);
        std::vector<pid_t> pids(list, list + size);
        std::free(list);
        return pids;
    }

    Result<void> remove(GroupPlace const& place) override {
        if (place.controllers.empty()) return direct_->remove(place);
        TRY(start());
        // The library would move what is still inside to the group above and so let it escape.
        if (!TRY(processes(place)).empty()) {
            errno = EBUSY;
            return sys_error("cgroup_delete_cgroup(" + place.directory() + ")");
        }
        LibraryGroup const group = TRY(new_group(place.name));
        (void)TRY(add_controller(group, place.controllers.front()));
        int const code = cgroup_delete_cgroup_ext(group.get(), CGFLAG_DELETE_RECURSIVE);
        if (code != 0 && code != ECGROUPNOTEXIST)
            return library_error("cgroup_delete_cgroup(" + place.directory() + ")", code);
        return {};
    }

private:
    std::unique_ptr<GroupBackend> direct_ = make_direct_backend();
    static constexpr std::size_t k_line_max = 4096;

    static Result<void> start() {
        static int const code = cgroup_init(); // once in a process: it reads what is mounted
        if (code != 0) return library_error("cgroup_init", code);
        return {};
    }
};

} // namespace

std::unique_ptr<GroupBackend> make_libcgroup_backend() {
    return std::make_unique<LibcgroupBackend>();
}

} // namespace iso::jail
