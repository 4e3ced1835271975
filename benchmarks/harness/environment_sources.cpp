#include "benchmarks/harness/environment_sources.hpp"

#include "common/fd.hpp"
#include "common/temp_dir.hpp"

#include <fmt/format.h>

#include <cpuid.h>
#include <cstring>
#include <sched.h>
#include <sstream>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::bench::sources {

namespace {

bool exists(char const* path) {
    return ::access(path, F_OK) == 0;
}

} // namespace

std::string line_of(std::string const& path) {
    auto text = read_file(path);
    if (!text) return {};
    while (!text->empty() && (text->back() == '\n' || text->back() == '\0'))
        text->pop_back();
    return *text;
}

std::map<std::string, std::string> cpuinfo() {
    std::map<std::string, std::string> values;
    std::istringstream lines(line_of("/proc/cpuinfo"));
    for (std::string line; std::getline(lines, line) && !line.empty();) {
        auto const colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::string key = line.substr(0, colon);
        key.erase(key.find_last_not_of(" \t") + 1);
        values[key] = colon + 2 <= line.size() ? line.substr(colon + 2) : std::string();
    }
    return values;
}

std::string hypervisor() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    // Leaf 1, ECX bit 31 is reserved by both makers for "a hypervisor is present".
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> 31U) == 0) return "none";
    __cpuid(0x40000000U, a, b, c, d);
    char signature[13] = {};
    std::memcpy(signature, &b, 4);
    std::memcpy(signature + 4, &c, 4);
    std::memcpy(signature + 8, &d, 4);
    std::string text;
    for (char const one : signature)
        if (one > 0x20 && one < 0x7f) text += one;
    if (text.starts_with("KVMKVMKVM")) text = "KVM";
    return text.empty() ? "present, without a name" : text;
}

std::string kvm_backend() {
    if (!exists("/dev/kvm")) return "none: no /dev/kvm";
    if (::access("/dev/kvm", R_OK | W_OK) != 0) return "none: no permission for /dev/kvm";
    for (char const* const module : {"kvm_intel", "kvm_amd", "kvm_pvm"})
        if (exists(("/sys/module/" + std::string(module)).c_str())) return module;
    return "unknown: /dev/kvm without a known module";
}

std::string cgroups() {
    bool const v2 = exists("/sys/fs/cgroup/cgroup.controllers");
    bool const unified = exists("/sys/fs/cgroup/unified/cgroup.controllers");
    std::string v1;
    std::istringstream lines(line_of("/proc/mounts"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string device;
        std::string where;
        std::string type;
        words >> device >> where >> type;
        if (type == "cgroup") v1 += (v1.empty() ? "" : ", ") + where.substr(where.rfind('/') + 1);
    }
    if (v2) return "v2 (" + line_of("/sys/fs/cgroup/cgroup.controllers") + ")";
    if (!v1.empty()) return "v1 (" + v1 + ")" + (unified ? " + v2 without controllers" : "");
    return "none";
}

std::string user_namespaces() {
    if (!exists("/proc/self/ns/user")) return "no: not in this kernel";
    if (line_of("/proc/sys/user/max_user_namespaces") == "0")
        return "no: user.max_user_namespaces is 0";
    if (line_of("/proc/sys/kernel/unprivileged_userns_clone") == "0")
        return "root only: kernel.unprivileged_userns_clone is 0";
    if (line_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
        return "restricted: kernel.apparmor_restrict_unprivileged_userns is 1";
    return "yes";
}

unsigned allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

unsigned last_allowed_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    unsigned last = CPU_SETSIZE - 1;
    while (last != 0 && !CPU_ISSET(last, &set))
        --last;
    return last;
}

std::string core_of(unsigned cpu) {
    return line_of(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
}

std::string turbo() {
    // Documentation/admin-guide/pm/intel_pstate.rst and cpufreq.rst: the one forbids, the other
    // allows.
    std::string const forbidden = line_of("/sys/devices/system/cpu/intel_pstate/no_turbo");
    if (!forbidden.empty()) return forbidden == "0" ? "on" : "off";
    std::string const allowed = line_of("/sys/devices/system/cpu/cpufreq/boost");
    if (!allowed.empty()) return allowed == "0" ? "off" : "on";
    return "not visible from here";
}

std::optional<CpuTicks> cpu_ticks() {
    std::istringstream line(line_of("/proc/stat"));
    std::string word;
    line >> word;
    CpuTicks ticks;
    double value = 0;
    for (int field = 0; field < 8 && line >> value; ++field) { // user ... steal (proc_stat(5))
        ticks.total += value;
        if (field == 7) ticks.stolen = value;
    }
    if (ticks.total <= 0) return {};
    return ticks;
}

std::map<std::string, std::string> pressure() {
    std::map<std::string, std::string> values;
    for (char const* const what : {"cpu", "memory", "io"}) {
        std::string const text = line_of(std::string("/proc/pressure/") + what);
        values[what] =
            text.empty() ? "not offered by this kernel" : text.substr(0, text.find(" total"));
    }
    return values;
}

std::string temporary_file_system() {
    struct stat info {};
    if (::stat(TempDir::place().c_str(), &info) != 0) return {};
    std::string const device = fmt::format("{}:{}", major(info.st_dev), minor(info.st_dev));
    std::istringstream lines(line_of("/proc/self/mountinfo"));
    for (std::string line; std::getline(lines, line);) { // proc_pid_mountinfo(5)
        std::istringstream words(line);
        std::string id, parent, of, word, type;
        words >> id >> parent >> of;
        while (words >> word && word != "-") {
        }
        if (of == device && words >> type) return type;
    }
    return {};
}

std::string chosen_word(std::string const& text) {
    auto const open = text.find('[');
    auto const close = text.find(']');
    if (open == std::string::npos || close == std::string::npos || close < open) return text;
    return text.substr(open + 1, close - open - 1);
}

} // namespace iso::bench::sources
