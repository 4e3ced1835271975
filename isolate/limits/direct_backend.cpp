#include "common/fd.hpp"
#include "isolate/limits/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

Result<void> write_line(std::string const& path, std::string_view line) {
    // Not O_TRUNC, which means nothing here, and no O_CREAT: only what the kernel made is a
    // setting.
    Fd const fd = TRY(Fd::open(path, O_WRONLY));
    if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return sys_error(fmt::format("write({}, {})", path, line));
    return {};
}

/// Version 2: a group has those controllers that the one above it hands down.
Result<void> hand_down(std::string const& directory, std::vector<std::string> const& controllers) {
    std::string const file = directory + "/cgroup.subtree_control";
    std::string const present = TRY(read_file(file, 4096));
    for (std::string const& controller : controllers)
        if (!lists(present, controller)) TRY(write_line(file, "+" + controller));
    return {};
}

class DirectBackend final : public GroupBackend {
public:
    Result<void> make(std::vector<GroupPlace> const& places) override {
        for (GroupPlace const& place : places)
            TRY(make_directory(place));
        return {};
    }

    Result<void> write(std::vector<GroupPlace> const& places,
                       std::vector<PlacedSetting> const& settings) override {
        for (auto const& [place, setting] : settings) {
            std::string const path = places[place].directory() + "/" + setting.file;
            std::string_view left = setting.value;
            do {
                std::size_t const end = std::min(left.find('\n'), left.size());
                TRY(write_line(path, left.substr(0, end)));
                left.remove_prefix(std::min(end + 1, left.size()));
            } while (!left.empty());
        }
        return {};
    }

    Result<std::string> read(GroupPlace const& place, std::string const& /*controller*/,
                             std::string const& file) override {
        std::string text = TRY(read_file(place.directory() + "/" + file, 1 << 20));
        if (text.ends_with('\n')) text.pop_back();
        return text;
    }

    Result<void> attach(std::vector<GroupPlace> const& places, pid_t pid) override {
        for (GroupPlace const& place : places)
            TRY(write_line(place.directory() + "/cgroup.procs", std::to_string(pid)));
        return {};
    }

    Result<std::vector<pid_t>> processes(GroupPlace const& place) override {
        std::string const text = TRY(read_file(place.directory() + "/cgroup.procs"));
        std::vector<pid_t> pids;
        for (char const* at = text.c_str(); *at != '\0';) {
            char* end = nullptr;
            long const pid = std::strtol(at, &end, 10);
            if (end == at) break;
            pids.push_back(static_cast<pid_t>(pid));
            at = *end == '\n' ? end + 1 : end;
        }
        return pids;
    }

    Result<void> remove(GroupPlace const& place) override { return remove_tree(place.directory()); }

private:
    static Result<void> make_directory(GroupPlace const& place) {
        // From the mount point down: each directory on the way, and on version 2 what it hands on.
        for (std::size_t slash = 0; slash != std::string::npos;) {
            if (place.v2) {
                auto handed =
                    hand_down(place.mount + place.name.substr(0, slash), place.controllers);
                if (!handed) return handed;
            }
            slash = place.name.find('/', slash + 1);
            std::string const directory = place.mount + place.name.substr(0, slash);
            if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
                return sys_error("mkdir(" + directory + ")");
        }
        return {};
    }

    static Result<void> remove_tree(std::string const& directory) {
        if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
        if (errno != EBUSY && errno != ENOTEMPTY) return sys_error("rmdir(" + directory + ")");
        for (std::string const& below : subdirectories(directory))
            TRY(remove_tree(directory + "/" + below));
        if (::rmdir(directory.c_str()) != 0 && errno != ENOENT)
            return sys_error("rmdir(" + directory + ")");
        return {};
    }
};

} // namespace

char const* to_string(GroupBackendKind kind) {
    return kind == GroupBackendKind::direct ? "direct" : "libcgroup";
}

bool GroupPlace::has(std::string const& controller) const {
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

bool is_there(std::string const& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

bool lists(std::string_view words, std::string_view word) {
    for (std::size_t at = 0; (at = words.find(word, at)) != words.npos; ++at) {
        std::size_t const end = at + word.size();
        bool const starts = at == 0 || words[at - 1] == ' ' || words[at - 1] == '\n';
        if (starts && (end == words.size() || words[end] == ' ' || words[end] == '\n')) return true;
    }
    return false;
}

std::vector<std::string> subdirectories(std::string const& directory) {
    std::vector<std::string> names;
    DIR* const open = ::opendir(directory.c_str());
    if (open == nullptr) return names;
    while (dirent const* const entry = ::readdir(open)) {
        std::string_view const name = entry->d_name;
        if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(open);
    return names;
}

std::unique_ptr<GroupBackend> make_group_backend(GroupBackendKind kind) {
    return kind == GroupBackendKind::direct ? make_direct_backend() : make_libcgroup_backend();
}

std::unique_ptr<GroupBackend> make_direct_backend() {
    return std::make_unique<DirectBackend>();
}

} // namespace iso::jail
