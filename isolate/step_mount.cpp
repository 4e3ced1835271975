// Steps that make, take and move mounts.
#include "isolate/step_parts.hpp"

#include <climits>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

namespace iso::jail::steps {

namespace {

constexpr unsigned k_whole_tree = AT_RECURSIVE;

int clone_tree(int fd, unsigned recursive) {
    return static_cast<int>(
        ::open_tree(fd, "", AT_EMPTY_PATH | recursive | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/// Gives "key=value,flag,..." to a file system context, piece by piece.
int configure(int context, char const* options) {
    char piece[PATH_MAX];
    for (char const* at = options; *at != '\0';) {
        std::size_t const length = std::strcspn(at, ",");
        if (length >= sizeof piece) return ENAMETOOLONG;
        std::memcpy(piece, at, length);
        piece[length] = '\0';
        char* const equals = std::strchr(piece, '=');
        if (equals != nullptr) *equals = '\0';
        int const set = equals != nullptr
                            ? ::fsconfig(context, FSCONFIG_SET_STRING, piece, equals + 1, 0)
                            : ::fsconfig(context, FSCONFIG_SET_FLAG, piece, nullptr, 0);
        if (set != 0) return errno;
        at += length + (at[length] == ',' ? 1 : 0);
    }
    return 0;
}

int make_mount(int context, unsigned attributes, int& slot) {
    int failed = result(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    if (failed != 0) return failed;
    slot = ::fsmount(context, FSMOUNT_CLOEXEC, attributes);
    return result(slot);
}

/// "/proc/self/fd/N" and what follows: a name for a layer that no character of its path can spoil.
void name_descriptor(char (&name)[64], int fd, char const* rest) {
    constexpr char k_prefix[] = "/proc/self/fd/";
    char digits[16];
    char* at = digits + sizeof digits;
    do
        *--at = static_cast<char>('0' + fd % 10);
    while ((fd /= 10) != 0);
    auto const count = static_cast<std::size_t>(digits + sizeof digits - at);
    std::memcpy(name, k_prefix, sizeof k_prefix - 1);
    std::memcpy(name + sizeof k_prefix - 1, at, count);
    std::strcpy(name + sizeof k_prefix - 1 + count, rest); // "", "/upper" or "/work"
}

int layer(int context, char const* key, int fd, char const* rest) {
    char name[64];
    name_descriptor(name, fd, rest);
    return result(::fsconfig(context, FSCONFIG_SET_STRING, key, name, 0));
}

int move_to(int tree, int target) {
    return result(
        ::move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

/// A clone of the jail's own /dev/null, which must be that device (CVE-2025-31133), or -1.
int clone_null() {
    int const path = open_path(AT_FDCWD, "/dev/null", RESOLVE_NO_SYMLINKS);
    if (path < 0) return -1;
    struct stat info {};
    int clone = -1;
    if (::fstat(path, &info) == 0) {
        if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3))
            clone = clone_tree(path, 0);
        else
            errno = ENODEV;
    }
    int const code = errno;
    ::close(path);
    errno = code;
    return clone;
}

/// An empty directory that nothing can be written to.
int empty_directory() {
    int const context = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int slot = -1;
    int failed = configure(context, "mode=0555,size=4k,nr_inodes=2");
    if (failed == 0)
        failed = make_mount(
            context, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
            slot);
    ::close(context);
    errno = failed;
    return slot;
}

} // namespace

int take_tree(Step const& step, int* slots) {
    unsigned const recursive = step.number == 0 ? k_whole_tree : 0;
    if (step.text.empty()) {
        slots[step.out] = static_cast<int>(::open_tree(
            AT_FDCWD, step.path.c_str(), recursive | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        return result(slots[step.out]);
    }
    // Below --root nothing is trusted: no link may lead the walk out of it.
    int const root = ::open(step.text.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    int const entry = open_path(root, step.path.c_str(),
                                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    int failed = result(entry);
    ::close(root);
    if (failed != 0) return failed;
    slots[step.out] = clone_tree(entry, recursive);
    failed = result(slots[step.out]);
    ::close(entry);
    return failed;
}

int require_device(Step const& step, int const* slots) {
    struct stat info {};
    if (::fstat(slots[step.in], &info) != 0) return errno;
    bool const right_type = step.text == "b" ? S_ISBLK(info.st_mode) : S_ISCHR(info.st_mode);
    return right_type && info.st_rdev == step.number ? 0 : ENODEV;
}

int new_filesystem(Step const& step, int* slots) {
    int const context = ::fsopen(step.path.c_str(), FSOPEN_CLOEXEC);
    if (context < 0) return errno;
    int failed = configure(context, step.text.c_str());
    if (failed == 0)
        failed = make_mount(context, static_cast<unsigned>(step.number), slots[step.out]);
    ::close(context);
    return failed;
}

int make_layers(Step const& step, int const* slots) {
    for (char const* name : {"upper", "work"}) {
        if (::mkdirat(slots[step.in], name, 0755) != 0 && errno != EEXIST) return errno;
        if (step.number == ~std::uint64_t{0}) continue;
        if (::fchownat(slots[step.in], name, static_cast<uid_t>(step.number),
                       static_cast<gid_t>(step.extra), AT_SYMLINK_NOFOLLOW) != 0)
            return errno;
    }
    return 0;
}

int new_overlay(Step const& step, int* slots) {
    int const context = ::fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0) return errno;
    int const upper = slots[step.number];
    int failed = layer(context, "lowerdir", slots[step.in], "");
    if (failed == 0) failed = layer(context, "upperdir", upper, "/upper");
    if (failed == 0) failed = layer(context, "workdir", upper, "/work");
    if (failed == 0) failed = configure(context, step.text.c_str());
    if (failed == 0)
        failed = make_mount(context, static_cast<unsigned>(step.extra), slots[step.out]);
    ::close(context);
    return failed;
}

int restrict_mount(Step const& step, int const* slots) {
    mount_attr attr{};
    attr.attr_set = step.number;
    if ((step.number & MOUNT_ATTR__ATIME) != 0) attr.attr_clr = MOUNT_ATTR__ATIME;
    // What isolate took is still a peer of the host's mount, unless that is what was asked for.
    attr.propagation =
        step.extra != 0 ? step.extra & ~std::uint64_t{MS_REC} : std::uint64_t{MS_PRIVATE};
    return result(
        ::mount_setattr(slots[step.in], "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
}

int cover_root(int tree) {
    return result(::move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
}

int uncover_root(int tree) {
    char name[64];
    name_descriptor(name, tree, "");
    return result(::umount2(name, MNT_DETACH));
}

int detach_host() {
    if (::umount2(".", MNT_DETACH) != 0) return errno;
    if (::chdir("/") != 0) return errno;
    // Was anything else mounted over the old root, that is what has gone, and the host is still
    // over our root: invisible from "/", but "/.." leads there.
    struct stat root {};
    struct stat above {};
    if (::stat("/", &root) != 0 || ::stat("/..", &above) != 0) return errno;
    return root.st_dev == above.st_dev && root.st_ino == above.st_ino ? 0 : EXDEV;
}

int enter_root(int root) {
    int const failed = cover_root(root);
    return failed != 0 ? failed : result(::fchdir(root));
}

int change_root(char const* path) {
    if (::chdir(path) != 0) return errno;
    if (::chroot(".") != 0) return errno;
    return result(::chdir("/"));
}

int attach(int tree, char const* path, bool strictly) {
    int const target =
        strictly ? open_path(AT_FDCWD, path, RESOLVE_NO_SYMLINKS) : open_inside(path);
    if (target < 0) return errno;
    int failed = move_to(tree, target);
    struct stat info {};
    if (failed == EINVAL && ::fstat(target, &info) == 0 && S_ISLNK(info.st_mode)) failed = ELOOP;
    ::close(target);
    return failed;
}

int mask(Step const& step, int const* slots) {
    int const target = open_path(AT_FDCWD, step.path.c_str(), RESOLVE_NO_SYMLINKS);
    if (target < 0) return errno;
    struct stat info {};
    int failed = result(::fstat(target, &info));
    if (failed == 0) {
        bool const is_directory = S_ISDIR(info.st_mode);
        int const cover = is_directory
                              ? step.out >= 0 ? clone_tree(slots[step.out], 0) : empty_directory()
                          : step.in >= 0 ? clone_tree(slots[step.in], 0)
                                         : clone_null();
        failed = result(cover);
        if (failed == 0) failed = move_to(cover, target);
        if (cover >= 0) ::close(cover);
    }
    ::close(target);
    return failed;
}

int cover_read_only(char const* path) {
    int const target = open_path(AT_FDCWD, path, RESOLVE_NO_SYMLINKS);
    if (target < 0) return errno;
    int const cover = clone_tree(target, k_whole_tree);
    int failed = result(cover);
    if (failed == 0) {
        mount_attr attr{};
        attr.attr_set = MOUNT_ATTR_RDONLY;
        failed =
            result(::mount_setattr(cover, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
    }
    if (failed == 0) failed = move_to(cover, target);
    if (cover >= 0) ::close(cover);
    ::close(target);
    return failed;
}

int make_read_only(char const* path) {
    mount_attr attr{};
    attr.attr_set = MOUNT_ATTR_RDONLY;
    return result(::mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr));
}

} // namespace iso::jail::steps
