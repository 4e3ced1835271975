// Mounts: every attempt leaves the tree as it is, where it succeeds too.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

namespace iso::battery {

namespace {

char g_mountinfo[1U << 18U];

/// Calls `each` with the root, mount point and the rest of each line of mountinfo.
template <typename Each>
bool for_mounts(Each each) {
    if (!read_text("/proc/self/mountinfo", g_mountinfo, sizeof g_mountinfo)) return false;
    char* line = g_mountinfo;
    while (line != nullptr && *line != '\0') {
        char* const end = std::strchr(line, '\n');
        if (end != nullptr) *end = '\0';
        // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAGS... - TYPE SOURCE SUPER (proc(5))
        char* at = line;
        for (int field = 0; field < 4 && at != nullptr; ++field) {
            at = std::strchr(at, ' ');
            if (at != nullptr) ++at;
        }
        char* const rest = at == nullptr ? nullptr : std::strchr(at, ' ');
        if (rest != nullptr) {
            *rest = '\0';
            if (each(at, rest + 1)) return true;
        }
        line = end == nullptr ? nullptr : end + 1;
    }
    return false;
}

} // namespace

Finding mount_call() {
    // Who may mount is checked before the options are read.
    return must_fail(call_of(SYS_mount, "none", "/", "tmpfs", 0, "isolab-no-such-option=1"),
                     CAP_SYS_ADMIN, {EINVAL});
}

Finding new_filesystem() {
    Call const call = call_of(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    long const context = make(call);
    if (context < 0) return refused(call, static_cast<int>(-context), CAP_SYS_ADMIN);
    auto const fd = static_cast<int>(context);
    if (::fsconfig(fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return refused(call_of(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), errno,
                       CAP_SYS_ADMIN);
    Call const mount = call_of(SYS_fsmount, fd, FSMOUNT_CLOEXEC, 0);
    long const made = make(mount);
    if (made < 0) return refused(mount, static_cast<int>(-made), CAP_SYS_ADMIN);
    return open_hole("made a file system");
}

Finding clone_mounts() {
    return must_fail(
        call_of(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
        CAP_SYS_ADMIN);
}

Finding writable_again() {
    bool any = false;
    Finding told = not_here("no mount is read-only");
    for_mounts([&](char const* point, char const* rest) {
        if (std::strncmp(rest, "ro", 2) != 0) return false;
        if (any) return false; // one is enough: the kernel's check is the same for all
        any = true;
        Call const clone =
            call_of(SYS_open_tree, AT_FDCWD, point, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        long const tree = make(clone);
        if (tree < 0) {
            told = refused(clone, static_cast<int>(-tree), CAP_SYS_ADMIN);
            return false;
        }
        mount_attr attributes{};
        attributes.attr_clr = MOUNT_ATTR_RDONLY;
        Call const change =
            call_of(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
        long const changed = make(change);
        told = changed < 0 ? refused(change, static_cast<int>(-changed), CAP_SYS_ADMIN)
                           : open_hole("%.120s", point);
        ::close(static_cast<int>(tree));
        return told.state == State::open;
    });
    return told;
}

Finding umount_call() {
    // Of something that is no mount: who may unmount is checked first.
    return must_fail(call_of(SYS_umount2, "/proc/self/status", 0), CAP_SYS_ADMIN, {EINVAL});
}

Finding pivot_root_call() {
    return must_fail(call_of(SYS_pivot_root, "/isolab-none", "/isolab-none"), CAP_SYS_ADMIN,
                     {ENOENT});
}

Finding propagation() {
    char point[120] = {};
    bool any = false;
    bool const found = for_mounts([&](char const* where, char const* rest) {
        any = true;
        char const* const shared = std::strstr(rest, " shared:");
        char const* const end = std::strstr(rest, " - ");
        if (shared == nullptr || (end != nullptr && shared > end)) return false;
        std::snprintf(point, sizeof point, "%s", where);
        return true;
    });
    if (found) return open_hole("%s is shared", point);
    if (!any) return held(By::root, "there is no /proc to learn it from");
    return held(By::mount_namespace, "no mount is shared");
}

Finding own_cgroup() {
    constexpr int k_spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP;
    if (::unshare(k_spaces) != 0) {
        int const error = errno;
        // Who has the right already needs no users of its own for it.
        if (::unshare(CLONE_NEWNS | CLONE_NEWCGROUP) != 0)
            return refused(call_of(SYS_unshare, k_spaces), error, CAP_SYS_ADMIN);
    }
    // Only a hierarchy that exists: mounting another would make it.
    char groups[4096];
    if (!read_text("/proc/self/cgroup", groups, sizeof groups))
        return held(By::root, "there is no /proc to name a group");
    for (char* line = std::strtok(groups, "\n"); line != nullptr;
         line = std::strtok(nullptr, "\n")) {
        char group[64];
        // ID:CONTROLLER,...:PATH (cgroups(7)); one with a name has no controller.
        if (std::sscanf(line, "%*d:%63[a-z_]", group) != 1 || std::strcmp(group, "name") == 0)
            continue;
        Call const call = call_of(SYS_fsopen, "cgroup", FSOPEN_CLOEXEC);
        long const context = make(call);
        if (context < 0) return refused(call, static_cast<int>(-context), CAP_SYS_ADMIN);
        auto const fd = static_cast<int>(context);
        if (::fsconfig(fd, FSCONFIG_SET_FLAG, group, nullptr, 0) != 0 ||
            ::fsconfig(fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
            Finding const told = held(By::mount_namespace, "%s: %s", group, std::strerror(errno));
            ::close(fd);
            return told;
        }
        int const tree = ::fsmount(fd, FSMOUNT_CLOEXEC, 0);
        ::close(fd);
        if (tree < 0) return held(By::mount_namespace, "%s: %s", group, std::strerror(errno));
        int const agent = ::openat(tree, "release_agent", O_WRONLY | O_CLOEXEC);
        int const error = errno;
        ::close(tree);
        if (agent >= 0) {
            ::close(agent);
            return open_hole("release_agent of %s can be opened for writing", group);
        }
        // Of a group that is not at the top there is none.
        return held(By::cgroup_namespace, "release_agent of %s: %s", group, std::strerror(error));
    }
    return not_here("there is no hierarchy of version 1");
}

Finding memory_files() {
    struct sysinfo machine {};
    if (::sysinfo(&machine) != 0) return not_here("sysinfo: %s", std::strerror(errno));
    double const memory = static_cast<double>(machine.totalram) * machine.mem_unit;
    char point[120] = {};
    double largest = 0;
    for_mounts([&](char const* where, char const* rest) {
        struct statvfs info {};
        if (std::strstr(rest, " - tmpfs ") == nullptr || std::strncmp(rest, "ro", 2) == 0 ||
            ::access(where, W_OK) != 0 || ::statvfs(where, &info) != 0)
            return false;
        // Without a limit it says that it has no blocks (tmpfs(5), size=0).
        double const size = info.f_blocks == 0 ? 2 * memory
                                               : static_cast<double>(info.f_blocks) *
                                                     static_cast<double>(info.f_frsize);
        if (size > largest) {
            largest = size;
            std::snprintf(point, sizeof point, "%s", where);
        }
        return false;
    });
    // Half is what tmpfs has by itself; a page more or less is rounding.
    if (largest > memory / 2 + 65536)
        return open_hole("%s: %.0f MiB of %.0f", point, largest / 1048576, memory / 1048576);
    if (largest == 0) return held(By::read_only, "there is none to write to");
    return held(By::limit, "%s: %.0f MiB at most", point, largest / 1048576);
}

} // namespace iso::battery
