// Devices. What opens is closed at once, without a read.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

namespace iso::battery {

namespace {

Finding make_and_open(unsigned type, dev_t device) {
    char const* const directory = writable_directory();
    char const* const tried = directory != nullptr ? directory : "/tmp";
    char path[64];
    std::snprintf(path, sizeof path, "%s/.isolab-node-%d", tried, static_cast<int>(::getpid()));
    Call const make_node = call_of(SYS_mknodat, AT_FDCWD, path, type | 0600U, device);
    if (long const made = make(make_node); made < 0)
        return refused(make_node, static_cast<int>(-made), CAP_MKNOD);
    int const fd = ::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int const error = errno;
    ::unlink(path);
    if (fd >= 0) {
        ::close(fd);
        return open_hole("made and opened %u:%u", major(device), minor(device));
    }
    if (error == ENXIO || error == ENODEV)
        return not_here("this machine has no %u:%u", major(device), minor(device));
    return held(error == EACCES ? By::read_only : By::permissions, "made, but not opened: %s%s",
                std::strerror(error), error == EACCES ? " (nodev)" : "");
}

} // namespace

Finding make_disk() {
    return make_and_open(S_IFBLK, g_facts.disk != 0 ? g_facts.disk : makedev(7, 0));
}

Finding make_memory() {
    return make_and_open(S_IFCHR, makedev(1, 1));
}

Finding disks() {
    DIR* const dev = ::opendir("/dev");
    if (dev == nullptr) return file_refused("/dev", errno);
    int seen = 0;
    Finding found;
    while (dirent const* const entry = ::readdir(dev)) {
        struct stat info {};
        if (::fstatat(::dirfd(dev), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISBLK(info.st_mode))
            continue;
        ++seen;
        int const fd =
            ::openat(::dirfd(dev), entry->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) continue;
        ::close(fd);
        found = open_hole("/dev/%.100s can be opened", entry->d_name);
        break;
    }
    ::closedir(dev);
    if (found.state == State::open) return found;
    return seen == 0 ? held(By::root, "no disk is in /dev")
                     : held(By::permissions, "of %d none can be opened", seen);
}

Finding memory_device() {
    return must_not_open({"/dev/mem", "/dev/kmem", "/dev/port"}, O_RDONLY);
}

Finding kvm_device() {
    return must_not_open({"/dev/kvm"}, O_RDWR);
}

Finding kernel_devices() {
    return must_not_open({"/dev/fuse", "/dev/net/tun", "/dev/loop-control", "/dev/vhost-net",
                          "/dev/vhost-vsock", "/dev/mapper/control", "/dev/userfaultfd",
                          "/dev/uinput"},
                         O_RDWR);
}

Finding console() {
    Finding told = held(By::root, "the kernel's is not there");
    for (char const* const path : {"/dev/console", "/dev/tty0", "/dev/tty1"}) {
        struct stat info {};
        // Opening a serial line would do something to it: asking is enough.
        bool const real = ::stat(path, &info) == 0 && S_ISCHR(info.st_mode) &&
                          (major(info.st_rdev) == 4 || info.st_rdev == makedev(5, 1));
        if (!real) continue;
        if (::faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
            return open_hole("%s is writable", path);
        told = held(By::permissions, "%s: %s", path, std::strerror(errno));
    }
    return told;
}

Finding false_null() {
    struct stat info {};
    if (::lstat("/dev/null", &info) != 0) return not_here("there is no /dev/null");
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
        return open_hole("it is something else");
    return held(By::root, "it is 1:3");
}

} // namespace iso::battery
