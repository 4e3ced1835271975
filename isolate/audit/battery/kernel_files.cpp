// Files by which the kernel is asked and told, in /proc and /sys.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/vfs.h>

namespace iso::battery {

namespace {

/// Opens `name` in `path` and in every directory down to `depth` below; the first that opens for
/// writing is told.
bool find_writable(char const* path, char const* const* names, int depth, int& seen,
                   Finding& found) {
    DIR* const directory = ::opendir(path);
    if (directory == nullptr) return false;
    for (char const* const* name = names; *name != nullptr; ++name) {
        int const fd = ::openat(::dirfd(directory), *name, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) ::close(fd);
        if (fd >= 0 || (errno != ENOENT && errno != ENOTDIR)) ++seen;
        if (fd < 0) continue;
        found = open_hole("%.120s/%s can be opened", path, *name);
        ::closedir(directory);
        return true;
    }
    bool done = false;
    while (dirent const* const entry = depth > 0 && !done ? ::readdir(directory) : nullptr) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        char below[512];
        std::snprintf(below, sizeof below, "%.250s/%.250s", path, entry->d_name);
        done = find_writable(below, names, depth - 1, seen, found);
    }
    ::closedir(directory);
    return done;
}

Finding must_not_find(char const* path, char const* const* names, int depth) {
    int seen = 0;
    Finding found;
    if (find_writable(path, names, depth, seen, found)) return found;
    if (seen == 0) return held(By::root, "there is none");
    return held(By::permissions, "of %d none can be opened", seen);
}

bool has_entries(char const* path) {
    DIR* const directory = ::opendir(path);
    if (directory == nullptr) return false;
    int entries = 0;
    while (dirent const* const entry = ::readdir(directory))
        if (entry->d_name[0] != '.') ++entries;
    ::closedir(directory);
    return entries > 0;
}

Finding must_not_list(std::initializer_list<char const*> paths) {
    Finding told = held(By::root, "there is none");
    for (char const* const path : paths) {
        if (has_entries(path)) return open_hole("%s can be listed", path);
        if (::access(path, F_OK) == 0) told = held(By::mask, "%s is empty or closed", path);
    }
    return told;
}

} // namespace

Finding genuine_proc() {
    struct statfs info {};
    if (::statfs("/proc", &info) != 0) return held(By::root, "there is no /proc");
    if (info.f_type != PROC_SUPER_MAGIC) {
        if (!has_entries("/proc")) return not_here("/proc is an empty directory");
        return open_hole("/proc is no procfs");
    }
    char self[32] = {};
    if (::readlink("/proc/self", self, sizeof self - 1) < 0 || std::atoi(self) != ::getpid())
        return open_hole("/proc is another process namespace's");
    if (::statfs("/sys", &info) == 0 && info.f_type != SYSFS_MAGIC && has_entries("/sys"))
        return open_hole("/sys is no sysfs");
    return held(By::root, "they are what they seem");
}

Finding sysrq() {
    return must_not_open({"/proc/sysrq-trigger"}, O_WRONLY);
}
Finding core_pattern() {
    return must_not_open({"/proc/sys/kernel/core_pattern"}, O_WRONLY);
}
Finding modprobe_path() {
    return must_not_open({"/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug"}, O_WRONLY);
}
Finding sysctl() {
    return must_not_open({"/proc/sys/kernel/panic", "/proc/sys/kernel/randomize_va_space",
                          "/proc/sys/vm/overcommit_memory", "/proc/sys/fs/file-max"},
                         O_WRONLY);
}
Finding binfmt() {
    return must_not_open({"/proc/sys/fs/binfmt_misc/register"}, O_WRONLY);
}
Finding uevent_helper() {
    return must_not_open({"/sys/kernel/uevent_helper"}, O_WRONLY);
}

Finding release_agent() {
    static constexpr char const* k_names[] = {"release_agent", nullptr};
    return must_not_find("/sys/fs/cgroup", k_names, 3);
}

Finding group_limits() {
    static constexpr char const* k_names[] = {"cgroup.procs", "memory.limit_in_bytes", "memory.max",
                                              "pids.max",     "devices.allow",         nullptr};
    return must_not_find("/sys/fs/cgroup", k_names, 3);
}

Finding power() {
    return must_not_open({"/sys/power/state", "/sys/power/disk"}, O_WRONLY);
}

Finding hardware_switches() {
    return must_not_open({"/proc/mtrr", "/proc/irq/0/smp_affinity", "/proc/irq/1/smp_affinity",
                          "/proc/irq/default_smp_affinity",
                          "/sys/kernel/mm/transparent_hugepage/enabled",
                          "/sys/devices/system/cpu/cpu1/online", "/sys/kernel/profiling"},
                         O_WRONLY);
}

Finding kernel_memory() {
    return must_not_read({"/proc/kcore"});
}
Finding kernel_addresses() {
    return must_not_read({"/proc/kallsyms"}, Content::not_only_zeros);
}

Finding kernel_log_files() {
    return must_not_open({"/dev/kmsg", "/proc/kmsg"}, O_RDONLY);
}

Finding key_list() {
    return must_not_read({"/proc/keys", "/proc/key-users"});
}
Finding timers() {
    return must_not_read({"/proc/timer_list", "/proc/timer_stats"});
}
Finding statistics() {
    return must_not_read({"/proc/interrupts", "/proc/slabinfo", "/proc/vmallocinfo",
                          "/proc/pagetypeinfo", "/proc/sched_debug", "/proc/latency_stats"});
}

Finding firmware() {
    return must_not_list(
        {"/sys/firmware", "/proc/acpi", "/proc/scsi", "/sys/devices/virtual/powercap"});
}
Finding debug_files() {
    return must_not_list({"/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security"});
}

} // namespace iso::battery
