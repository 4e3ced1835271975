// Ways out of the root.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>

namespace iso::battery {

namespace {

bool is_host_root(struct stat const& info) {
    return g_facts.known && info.st_dev == g_facts.directories[0].device &&
           info.st_ino == g_facts.directories[0].inode;
}

bool same(struct stat const& a, struct stat const& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether an open file can be written to by no way: a busy program hides that its mount is
/// read-only, for the kernel asks that later.
bool is_fixed(int fd) {
    struct statvfs info {};
    int const seals = ::fcntl(fd, F_GET_SEALS);
    return (seals > 0 && (seals & F_SEAL_WRITE) != 0) ||
           (::fstatvfs(fd, &info) == 0 && (info.f_flag & ST_RDONLY) != 0);
}

/// Climbs from the working directory as far as it goes.
bool climb(struct stat& top) {
    for (int i = 0; i < 64; ++i)
        if (::chdir("..") != 0) break;
    return ::stat(".", &top) == 0;
}

} // namespace

Finding host_files() {
    if (!g_facts.known) return not_here("nothing is known of the host");
    for (std::size_t i = 0; i < k_directories; ++i) {
        struct stat info {};
        if (g_facts.directories[i].inode == 0 || ::stat(k_directory_names[i], &info) != 0) continue;
        if (info.st_dev == g_facts.directories[i].device &&
            info.st_ino == g_facts.directories[i].inode)
            return open_hole("%s is the host's", k_directory_names[i]);
    }
    return held(By::root, "none of them is the host's");
}

Finding above_root() {
    struct stat root {};
    struct stat top {};
    if (::stat("/", &root) != 0) return held(By::permissions, "/: %s", std::strerror(errno));
    for (bool const from_root : {true, false}) {
        if (from_root && ::chdir("/") != 0) continue;
        if (!from_root && g_at_start_directory[0] == '/') continue; // below the root
        if (!climb(top)) continue;
        if (!same(root, top) || (is_host_root(top) && shares(k_mnt)))
            return open_hole("%s",
                             same(root, top) ? "the root is the host's" : "above / is another");
    }
    return held(By::mount_namespace, ".. of / is /");
}

Finding proc_root() {
    struct Seen {
        struct stat root;
        int looked_at = 0;
        int refused = 0;
        Finding found;
    } seen{};
    if (::stat("/", &seen.root) != 0) return held(By::permissions, "/: %s", std::strerror(errno));
    for_other_processes(
        [](pid_t pid, void* data) {
            auto& all = *static_cast<Seen*>(data);
            ++all.looked_at;
            char path[64];
            std::snprintf(path, sizeof path, "/proc/%d/root/.", static_cast<int>(pid));
            struct stat info {};
            if (::stat(path, &info) != 0) {
                ++all.refused;
                return true;
            }
            if (same(info, all.root)) return true;
            all.found = open_hole("/proc/%d/root is another root", static_cast<int>(pid));
            return false;
        },
        &seen);
    if (seen.found.state == State::open) return seen.found;
    if (seen.looked_at == 0) return held(By::pid_namespace, "no other process is seen");
    if (seen.refused == seen.looked_at)
        return held(By::permissions, "%d processes, none lets it in", seen.looked_at);
    return held(By::mount_namespace, "%d processes have the same root", seen.looked_at);
}

Finding chroot_escape() {
    struct stat root {};
    struct stat top {};
    if (::stat("/", &root) != 0) return held(By::permissions, "/: %s", std::strerror(errno));
    int const outside = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (outside < 0) return held(By::permissions, "/: %s", std::strerror(errno));
    // Any directory below does.
    DIR* const entries = ::opendir("/");
    char below[300] = "/proc";
    while (dirent const* const entry = entries != nullptr ? ::readdir(entries) : nullptr) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        std::snprintf(below, sizeof below, "/%s", entry->d_name);
        break;
    }
    if (entries != nullptr) ::closedir(entries);
    Call const change = call_of(SYS_chroot, below);
    if (long const result = make(change); result < 0)
        return refused(change, static_cast<int>(-result), CAP_SYS_CHROOT);
    if (::fchdir(outside) != 0 || !climb(top))
        return held(By::permissions, "%s", std::strerror(errno));
    ::close(outside);
    if (!same(root, top)) return open_hole("came to a directory above the root");
    if (is_host_root(top)) return open_hole("the root is the host's");
    return held(By::mount_namespace, "the root is the top of its mounts");
}

Finding working_directory() {
    if (g_at_start_directory_errno != 0)
        return open_hole("getcwd: %s", std::strerror(g_at_start_directory_errno));
    if (g_at_start_directory[0] != '/') return open_hole("it is %.150s", g_at_start_directory);
    return held(By::root, "%.150s", g_at_start_directory);
}

Finding inherited_descriptors() {
    if (g_inherited != 0) return open_hole("%d: %s", g_inherited, g_inherited_text);
    return held(By::descriptors, "only 0, 1 and 2 are open");
}

Finding standard_descriptors() {
    for (int fd = 0; fd <= 2; ++fd) {
        struct stat info {};
        if (::fstat(fd, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) return open_hole("%d is a directory", fd);
        if (S_ISBLK(info.st_mode)) return open_hole("%d is a disk", fd);
    }
    return held(By::descriptors, "none is a directory or a disk");
}

Finding program_file() {
    int const fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_refused("/proc/self/exe", errno);
    bool const fixed = is_fixed(fd);
    int const seals = ::fcntl(fd, F_GET_SEALS);
    ::close(fd);
    if (seals > 0 && (seals & F_SEAL_WRITE) != 0)
        return held(By::seal, "the battery is a sealed file in memory");
    if (fixed) return held(By::read_only, "its mount is read-only");
    // While it runs nobody writes to it (ETXTBSY): an attacker waits until it has ended.
    int const again = ::open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
    int const error = errno;
    if (again >= 0) {
        ::close(again);
        return open_hole("opened");
    }
    if (error == ETXTBSY)
        return open_hole("%s, and writable once it has ended", std::strerror(error));
    return file_refused("/proc/self/exe", error);
}

Finding runtime_file() {
    struct Seen {
        struct stat own;
        int looked_at = 0;
        Finding found;
    } seen{};
    if (::stat("/proc/self/exe", &seen.own) != 0) seen.own.st_ino = 0;
    for_other_processes(
        [](pid_t pid, void* data) {
            auto& all = *static_cast<Seen*>(data);
            char path[64];
            struct stat info {};
            std::snprintf(path, sizeof path, "/proc/%d/exe", static_cast<int>(pid));
            if (::stat(path, &info) != 0 || same(info, all.own)) return true;
            ++all.looked_at;
            int const fd = ::open(path, O_WRONLY | O_CLOEXEC);
            if (fd < 0 && errno != ETXTBSY) return true;
            if (fd >= 0) ::close(fd);
            int const seen_through = ::open(path, O_RDONLY | O_CLOEXEC);
            bool const fixed = seen_through >= 0 && is_fixed(seen_through);
            if (seen_through >= 0) ::close(seen_through);
            if (fixed) return true;
            all.found =
                open_hole("%s can be written to%s", path, fd < 0 ? " once that has ended" : "");
            return false;
        },
        &seen);
    if (seen.found.state == State::open) return seen.found;
    if (seen.looked_at == 0)
        return held(By::permissions, "the program of no other process can be looked at");
    return held(By::permissions, "of %d none can be written to", seen.looked_at);
}

Finding file_handles() {
    constexpr unsigned k_most = 128; // MAX_HANDLE_SZ
    alignas(file_handle) unsigned char space[sizeof(file_handle) + k_most] = {};
    auto* const handle = reinterpret_cast<file_handle*>(space);
    Finding told = not_here("no file system here has handles");
    for (char const* const path : {"/", "/tmp", "/dev", "/dev/shm"}) {
        handle->handle_bytes = k_most;
        int mount = 0;
        Call const name = call_of(SYS_name_to_handle_at, AT_FDCWD, path, handle, &mount, 0);
        bool const named = make(name) >= 0;
        if (!named) handle->handle_bytes = 0; // who may not open any hears that first
        int const root = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Call const call = call_of(SYS_open_by_handle_at, root, handle, O_RDONLY);
        long const result = make(call);
        Finding const now = result >= 0 ? open_hole("opened %s by its handle", path)
                            : named || result == -EPERM
                                ? refused(call, static_cast<int>(-result), CAP_DAC_READ_SEARCH)
                                : told;
        if (root >= 0) ::close(root);
        if (result >= 0) return now;
        if (told.state != State::held) told = now;
    }
    return told;
}

Finding control_sockets() {
    for (char const* const path :
         {"/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock",
          "/run/podman/podman.sock", "/run/crio/crio.sock", "/run/dbus/system_bus_socket",
          "/run/systemd/private", "/run/systemd/journal/stdout"}) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return held(By::seccomp, "no socket: %s", std::strerror(errno));
        bool const reached =
            ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
        ::close(fd);
        if (reached) return open_hole("%s answers", path);
    }
    return held(By::root, "none is there");
}

} // namespace iso::battery
