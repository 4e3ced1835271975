#include "benchmarks/harness/memory.hpp"

#include "benchmarks/harness/processes.hpp"
#include "common/fd.hpp"

#include <set>
#include <sstream>
#include <string>
#include <unistd.h>

namespace iso::bench {

namespace {

std::set<pid_t> descendants() {
    std::vector<Process> const all = all_processes();
    std::set<pid_t> below;
    for (bool grew = true; grew;) {
        grew = false;
        for (Process const& one : all)
            if ((one.parent == ::getpid() || below.contains(one.parent)) &&
                below.insert(one.pid).second)
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
