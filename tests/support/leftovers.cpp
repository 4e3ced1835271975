#include "tests/support/leftovers.hpp"

#include "common/fd.hpp"
#include "common/temp_dir.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <unistd.h>

namespace iso::test {

namespace {

namespace fs = std::filesystem;

void add_files(std::set<std::string>& things, std::string const& directory) {
    std::error_code ignored;
    for (auto it = fs::recursive_directory_iterator(
             directory, fs::directory_options::skip_permission_denied, ignored);
         it != fs::recursive_directory_iterator(); it.increment(ignored))
        things.insert("file " + it->path().string());
}

void add_cgroups(std::set<std::string>& things) {
    std::error_code ignored;
    for (auto it = fs::recursive_directory_iterator(
             "/sys/fs/cgroup", fs::directory_options::skip_permission_denied, ignored);
         it != fs::recursive_directory_iterator(); it.increment(ignored))
        if (it->is_directory(ignored)) things.insert("cgroup " + it->path().string());
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
    std::vector<std::string> fresh;
    for (int round = 0; round < 250; ++round) {
        std::set<std::string> const now = look_around();
        std::vector<std::string> still;
        if (round == 0) {
            std::set_difference(now.begin(), now.end(), things_.begin(), things_.end(),
                                std::back_inserter(still));
        } else {
            std::copy_if(fresh.begin(), fresh.end(), std::back_inserter(still),
                         [&](std::string const& thing) { return now.count(thing) != 0; });
        }
        fresh = still;
        if (fresh.empty()) break;
        ::usleep(20'000);
    }
    return fresh;
}

} // namespace iso::test
