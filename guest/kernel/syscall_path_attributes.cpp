// System calls that change what a node is like: its rights, owner, times and length.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/syscall_path.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/fcntl.h>
#include <linux/stat.h>

namespace iso::guest {

namespace {

constexpr u64 k_here = static_cast<u64>(AT_FDCWD);
constexpr u64 k_second = 1'000'000'000;

// Can anything about this node be changed?
Result may_change(Node const* node) {
    if (node == nullptr || node->filesystem == FileSystem::processes) return -EPERM;
    return vfs::is_writable(node) ? 0 : -EROFS;
}

Result node_of(u64 fd, Node*& node) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr || (file->flags & O_PATH) != 0) return -EBADF;
    node = file->node;
    return 0;
}

Result change_mode(Node* node, u64 mode) {
    if (Result const result = may_change(node); result != 0) return result;
    node->mode = (node->mode & k_type_mask) | (static_cast<u32>(mode) & 07777);
    vfs::state_changed(node);
    return 0;
}

Result change_owner(Node* node, u64 owner, u64 group) {
    if (Result const result = may_change(node); result != 0) return result;
    auto const uid = static_cast<u32>(owner);
    auto const gid = static_cast<u32>(group);
    constexpr u32 k_keep = ~0u;
    bool const same =
        (uid == k_keep || uid == node->owner) && (gid == k_keep || gid == node->group);
    if (!same && boot_info().host_uid != 0) return -EPERM;
    if (uid != k_keep) node->owner = uid;
    if (gid != k_keep) node->group = gid;
    // Whoever executes it must not get the new owner's rights by accident.
    if (vfs::is_file(node)) node->mode &= ~u32{06000};
    vfs::state_changed(node);
    return 0;
}

constexpr i64 k_now = (1 << 30) - 1;  // UTIME_NOW
constexpr i64 k_omit = (1 << 30) - 2; // UTIME_OMIT

struct Moment {
    i64 seconds, fraction;
};

// Sets one of two times; `unit` nanoseconds to its fraction.
Result set_time(u64& time, Moment moment, u64 unit, u64 now) {
    if (unit == 1 && moment.fraction == k_omit) return 0;
    if (unit == 1 && moment.fraction == k_now) {
        time = now;
        return 0;
    }
    if (static_cast<u64>(moment.fraction) >= k_second / unit) return -EINVAL;
    time = static_cast<u64>(moment.seconds) * k_second + static_cast<u64>(moment.fraction) * unit;
    return 0;
}

Result change_times(Node* node, UserAddr times, u64 unit) {
    if (Result const result = may_change(node); result != 0) return result;
    u64 const now = clock::realtime_ns();
    u64 accessed = node->accessed;
    u64 modified = node->modified;
    if (times == 0) {
        accessed = modified = now;
    } else {
        Moment moments[2];
        if (Result const result = copy_in(moments, times, sizeof moments); result != 0)
            return result;
        if (Result const result = set_time(accessed, moments[0], unit, now); result != 0)
            return result;
        if (Result const result = set_time(modified, moments[1], unit, now); result != 0)
            return result;
    }
    node->accessed = accessed != 0 ? accessed : Node::k_epoch;
    node->modified = modified != 0 ? modified : Node::k_epoch;
    vfs::state_changed(node);
    return 0;
}

Result change_size(Node* node, u64 size) {
    if (static_cast<i64>(size) < 0) return -EINVAL;
    if (node == nullptr || !vfs::is_file(node) || !vfs::is_writable(node)) return -EINVAL;
    if (Result const result = cut_file(*node, size); result != 0) return result;
    vfs::content_changed(node);
    return 0;
}

} // namespace

Result sys_fchmodat(u64 directory, u64 path, u64 mode) {
    Node* node = nullptr;
    Result const result = paths::find(directory, path, true, node);
    return result != 0 ? result : change_mode(node, mode);
}

Result sys_chmod(u64 path, u64 mode) {
    return sys_fchmodat(k_here, path, mode);
}

Result sys_fchmod(u64 fd, u64 mode) {
    Node* node = nullptr;
    Result const result = node_of(fd, node);
    return result != 0 ? result : change_mode(node, mode);
}

Result sys_fchownat(u64 directory, u64 path, u64 owner, u64 group, u64 flags) {
    Node* node = nullptr;
    Result const result = paths::find_or_open(directory, path, flags, node);
    return result != 0 ? result : change_owner(node, owner, group);
}

Result sys_chown(u64 path, u64 owner, u64 group) {
    return sys_fchownat(k_here, path, owner, group, 0);
}

Result sys_lchown(u64 path, u64 owner, u64 group) {
    return sys_fchownat(k_here, path, owner, group, AT_SYMLINK_NOFOLLOW);
}

Result sys_fchown(u64 fd, u64 owner, u64 group) {
    Node* node = nullptr;
    Result const result = node_of(fd, node);
    return result != 0 ? result : change_owner(node, owner, group);
}

Result sys_utimensat(u64 directory, u64 path, u64 times, u64 flags) {
    u64 given[4]; // Linux looks at them before it looks for the file
    if (times != 0)
        if (Result const bad = get_user(given, times); bad != 0) return bad;
    Node* node = nullptr;
    Result const result = path == 0 ? node_of(static_cast<u32>(directory), node)
                                    : paths::find_or_open(directory, path, flags, node);
    return result != 0 ? result : change_times(node, times, 1);
}

Result sys_futimesat(u64 directory, u64 path, u64 times) {
    Node* node = nullptr;
    Result const result = path == 0 ? node_of(static_cast<u32>(directory), node)
                                    : paths::find(directory, path, true, node);
    return result != 0 ? result : change_times(node, times, 1000);
}

Result sys_utimes(u64 path, u64 times) {
    return sys_futimesat(k_here, path, times);
}

Result sys_utime(u64 path, u64 times) {
    Node* node = nullptr;
    if (Result const result = paths::find(k_here, path, true, node); result != 0) return result;
    if (Result const result = may_change(node); result != 0) return result;
    if (times == 0) return change_times(node, 0, 1);
    i64 seconds[2];
    if (Result const result = copy_in(seconds, times, sizeof seconds); result != 0) return result;
    node->accessed = seconds[0] != 0 ? static_cast<u64>(seconds[0]) * k_second : Node::k_epoch;
    node->modified = seconds[1] != 0 ? static_cast<u64>(seconds[1]) * k_second : Node::k_epoch;
    vfs::state_changed(node);
    return 0;
}

Result sys_truncate(u64 path, u64 size) {
    Node* node = nullptr;
    if (Result const result = paths::find(k_here, path, true, node); result != 0) return result;
    if (vfs::is_directory(node)) return -EISDIR;
    if (!vfs::is_file(node)) return -EINVAL;
    if (Result const result = vfs::permits(node, 2); result != 0) return result;
    return change_size(node, size);
}

Result sys_ftruncate(u64 fd, u64 size) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr || (file->flags & O_PATH) != 0) return -EBADF;
    if ((file->flags & O_ACCMODE) == O_RDONLY) return -EINVAL;
    return change_size(file->node, size);
}

} // namespace iso::guest
