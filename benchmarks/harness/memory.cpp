#include "benchmarks/harness/memory.hpp"

#include "common/fd.hpp"

#include <charconv>
#include <dirent.h>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>

namespace iso::bench {

namespace {

/// Every process with its parent.
std::map<pid_t, pid_t> parents() {
    std::map<pid_t, pid_t> found;
    DIR* const directory = ::opendir("/proc");
    if (directory == nullptr) return found;
    while (dirent const* const entry = ::readdir(directory)) {
        std::string const name = entry->d_name;
        pid_t pid = -1;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{})
            continue;
        auto const stat = read_file("/proc/" + name + "/stat");
        if (!stat) continue;
        auto const close = stat->rfind(')'); // the name before it may contain anything
        pid_t parent = -1;
        if (close == std::string::npos || close + 4 > stat->size()) continue;
        std::from_chars(stat->data() + close + 4, stat->data() + stat->size(), parent);
        found[pid] = parent;
    }
    ::closedir(directory);
    return found;
}

std::set<pid_t> descendants() {
    std::map<pid_t, pid_t> const all = parents();
    std::set<pid_t> below;
    for (bool grew = true; grew;) {
        grew = false;
        for (auto const& [pid, parent] : all)
            if ((parent == ::getpid() || below.contains(parent)) && below.insert(pid).second)
                grew = true;
    }
    return below;
}

} // namespace

std::optional<MemoryUse> memory_of_descendants() {
    MemoryUse use;
    for (pid_t const pid : descendants()) {
        auto const text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
        if (!text && (text.error().code == ENOENT || text.error().code == ESRCH)) continue; // gone
        if (!text) return {};
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string key;
            std::uint64_t kib = 0;
            if (!(words >> key >> kib)) continue;
            if (key == "Pss:") use.pss += kib << 10U;
            if (key == "Private_Clean:" || key == "Private_Dirty:") use.private_ += kib << 10U;
        }
    }
    return use;
}

} // namespace iso::bench
