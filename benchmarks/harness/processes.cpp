#include "benchmarks/harness/processes.hpp"

#include "common/fd.hpp"

#include <charconv>
#include <dirent.h>

namespace iso::bench {

// The name may contain anything, parentheses included, so it ends at the last one.
Process read_process(pid_t pid) {
    Process process;
    process.pid = pid;
    auto const text = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!text) return process;
    auto const open = text->find('(');
    auto const close = text->rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > text->size())
        return process;
    process.name = text->substr(open + 1, close - open - 1);
    std::from_chars(text->data() + close + 4, text->data() + text->size(), process.parent);
    return process;
}

std::vector<Process> all_processes() {
    std::vector<Process> found;
    DIR* const directory = ::opendir("/proc");
    if (directory == nullptr) return found;
    while (dirent const* const entry = ::readdir(directory)) {
        std::string const name = entry->d_name;
        pid_t pid = -1;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec == std::errc{})
            found.push_back(read_process(pid));
    }
    ::closedir(directory);
    return found;
}

} // namespace iso::bench
