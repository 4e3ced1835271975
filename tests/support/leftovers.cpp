#include "tests/support/leftovers.hpp"

#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/eventually.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <sstream>

namespace iso::test {

namespace {

namespace fs = std::filesystem;

/// Calls back with everything below a directory. What goes meanwhile is not there: a
/// recursive_directory_iterator would end at it, and miss whatever comes after.
void walk(std::string const& directory,
          std::function<void(fs::directory_entry const&)> const& see) {
    std::error_code gone;
    for (auto it =
             fs::directory_iterator(directory, fs::directory_options::skip_permission_denied, gone);
         it != fs::directory_iterator(); it.increment(gone)) {
        see(*it);
        if (it->is_directory(gone) && !it->is_symlink(gone)) walk(it->path().string(), see);
    }
}

void add_files(std::set<std::string>& things, std::string const& directory) {
    walk(directory,
         [&](fs::directory_entry const& entry) { things.insert("file " + entry.path().string()); });
}

/// This process's own groups below the mount points, as /proc/self/cgroup names them.
std::vector<std::string> own_groups() {
    std::vector<std::string> own;
    auto const text = read_file("/proc/self/cgroup");
    std::istringstream lines(text ? *text : "");
    for (std::string line; std::getline(lines, line);) {
        std::string const group = line.substr(std::min(line.find(":/"), line.size() - 1) + 1);
        if (group.size() > 1) own.push_back(group + "/");
    }
    return own;
}

/// Others make groups on this machine at any time. Ours are told by the name that isolate gives
/// them, and by being below this process's own, where nobody else has business.
void add_cgroups(std::set<std::string>& things) {
    std::vector<std::string> const own = own_groups();
    walk("/sys/fs/cgroup", [&](fs::directory_entry const& entry) {
        std::error_code gone;
        if (!entry.is_directory(gone)) return;
        std::string const path = entry.path().string();
        bool const ours = path.find("/isolate.") != std::string::npos ||
                          std::any_of(own.begin(), own.end(), [&](std::string const& group) {
                              return path.find(group) != std::string::npos;
                          });
        if (ours) things.insert("cgroup " + path);
    });
}

void add_mounts(std::set<std::string>& things) {
    auto const text = read_file("/proc/self/mountinfo");
    if (!text) return;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);)
        things.insert("mount " + line);
}

std::string const& private_tmpdir() {
    static TempDir const directory = [] {
        TempDir made = TempDir::create("isolab-test").value();
        ::setenv("TMPDIR", made.path().c_str(), 1);
        return made;
    }();
    return directory.path();
}

std::set<std::string> look_around() {
    std::set<std::string> things;
    add_files(things, private_tmpdir());
    add_files(things, "/dev/shm");
    add_cgroups(things);
    add_mounts(things);
    return things;
}

} // namespace

Leftovers Leftovers::look() {
    Leftovers seen;
    seen.things_ = look_around();
    return seen;
}

std::vector<std::string> Leftovers::appeared() const {
    std::set<std::string> now = look_around();
    std::vector<std::string> fresh;
    std::set_difference(now.begin(), now.end(), things_.begin(), things_.end(),
                        std::back_inserter(fresh));
    // Other tests make and remove such things at the same time.
    eventually(
        [&] {
            if (fresh.empty()) return true;
            now = look_around();
            std::erase_if(fresh, [&](std::string const& thing) { return !now.contains(thing); });
            return fresh.empty();
        },
        5'000'000'000);
    return fresh;
}

} // namespace iso::test
