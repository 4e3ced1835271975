#include "isolate/life/inside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <string_view>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

/// The inode of a process's process namespace; 0 when it is gone or may not be asked.
ino_t pid_namespace(std::string const& pid) {
    struct stat info {};
    return ::stat(("/proc/" + pid + "/ns/pid").c_str(), &info) == 0 ? info.st_ino : 0;
}

/// What follows "NAME:" in /proc/PID/status.
std::string_view status_field(std::string_view status, std::string_view name) {
    auto const at = status.find("\n" + std::string(name) + ":");
    if (at == std::string_view::npos) return {};
    std::string_view rest = status.substr(at + name.size() + 2);
    rest = rest.substr(0, rest.find('\n'));
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t'))
        rest.remove_prefix(1);
    return rest;
}

/// Anything can be in an argument; a terminal shall see text.
std::string shown_command(std::string words, std::string_view name) {
    if (words.empty()) return fmt::format("[{}]", name);
    while (!words.empty() && words.back() == '\0')
        words.pop_back();
    for (char& c : words)
        if (c == '\0')
            c = ' ';
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    return words;
}

std::uint64_t cpu_time(std::string const& pid) {
    auto const stat = read_file("/proc/" + pid + "/stat", 4096);
    if (!stat) return 0;
    auto const after = stat->rfind(") ");
    if (after == std::string::npos) return 0;
    // Fields 14 and 15, of which the first two are before `after` (proc_pid_stat(5)).
    char const* at = stat->c_str() + after + 2;
    for (int field = 3; field < 14 && *at != '\0'; ++at)
        if (*at == ' ') ++field;
    char* next = nullptr;
    std::uint64_t const user = std::strtoull(at, &next, 10);
    std::uint64_t const system = std::strtoull(next, nullptr, 10);
    auto const ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return (user + system) * (1'000'000'000 / ticks);
}

} // namespace

Result<std::vector<InsideProcess>> processes_inside(ProcessId const& init) {
    ino_t const wanted = is_alive(init) ? pid_namespace(std::to_string(init.pid)) : 0;
    if (wanted == 0) return error("processes of the jail", "it has ended", "isolate list");
    std::unique_ptr<DIR, int (*)(DIR*)> const proc(::opendir("/proc"), ::closedir);
    if (!proc) return sys_error("opendir(/proc)");
    std::vector<InsideProcess> found;
    while (dirent const* entry = ::readdir(proc.get())) {
        std::string const pid = entry->d_name;
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        if (pid_namespace(pid) != wanted) continue;
        auto const status = read_file("/proc/" + pid + "/status", 1U << 16U);
        if (!status) continue; // it ended meanwhile
        InsideProcess process;
        process.pid = std::atoi(pid.c_str());
        std::string_view const numbers = status_field(*status, "NSpid");
        auto const last = numbers.find_last_of(" \t");
        process.inside = std::atoi(
            std::string(last == std::string_view::npos ? numbers : numbers.substr(last + 1))
                .c_str());
        std::string_view const state = status_field(*status, "State");
        if (!state.empty()) process.state = state.front();
        process.resident_bytes =
            1024 * std::strtoull(std::string(status_field(*status, "VmRSS")).c_str(), nullptr, 10);
        process.cpu_ns = cpu_time(pid);
        auto const name_end = status->find('\n');
        std::string_view const name =
            std::string_view(*status).substr(6, name_end == std::string::npos ? 0 : name_end - 6);
        process.command =
            shown_command(read_file("/proc/" + pid + "/cmdline", 1U << 16U).value_or(""), name);
        found.push_back(std::move(process));
    }
    std::sort(found.begin(), found.end(),
              [](auto const& a, auto const& b) { return a.inside < b.inside; });
    return found;
}

} // namespace iso::jail
