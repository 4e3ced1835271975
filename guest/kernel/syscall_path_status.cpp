// System calls that tell what a node is like (stat(2), statx(2), statfs(2)).
#include "guest/kernel/boot.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/syscall_path.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

namespace iso::guest {

namespace {

constexpr u64 k_here = static_cast<u64>(AT_FDCWD);
constexpr i64 k_second = 1'000'000'000;

i64 time_of(u64 time) {
    if (time == 0)
        return static_cast<i64>(boot_info().clock_ns) + boot_info().clock_realtime_offset;
    return time == Node::k_epoch ? 0 : static_cast<i64>(time);
}

u64 blocks_of(Node const& node) {
    if (node.pages != 0 || vfs::is_writable(&node)) return node.pages * (k_page / 512);
    return (node.size + 511) / 512;
}

u64 size_of(Node const& node) {
    return vfs::is_directory(&node) ? k_page : node.size;
}

u64 device_of(Node const& node) {
    return static_cast<u64>(node.filesystem) + 1;
}

// What is behind the console is the engine's business: like a pipe.
constexpr u32 k_nameless_mode = k_type_fifo | 0600;

void fill(struct stat& status, Node const& node) {
    status.st_dev = device_of(node);
    status.st_ino = node.number;
    status.st_mode = node.mode;
    status.st_nlink = node.links;
    status.st_uid = node.owner;
    status.st_gid = node.group;
    status.st_rdev = vfs::is_device(&node) ? node.device : 0;
    status.st_size = static_cast<long>(size_of(node));
    status.st_blocks = static_cast<long>(blocks_of(node));
    i64 const accessed = time_of(node.accessed);
    i64 const modified = time_of(node.modified);
    i64 const changed = time_of(node.changed);
    status.st_atime = static_cast<u64>(accessed / k_second);
    status.st_atime_nsec = static_cast<u64>(accessed % k_second);
    status.st_mtime = static_cast<u64>(modified / k_second);
    status.st_mtime_nsec = static_cast<u64>(modified % k_second);
    status.st_ctime = static_cast<u64>(changed / k_second);
    status.st_ctime_nsec = static_cast<u64>(changed % k_second);
}

// `file`: for one without a node.
Result put_status(Node const* node, OpenFile const* file, UserAddr to) {
    struct stat status = {};
    status.st_blksize = k_page;
    if (node != nullptr) {
        fill(status, *node);
    } else {
        status.st_mode = k_nameless_mode;
        status.st_nlink = 1;
        status.st_ino = file != nullptr ? pipe_number(*file) : 0;
        status.st_uid = boot_info().host_uid;
        status.st_gid = boot_info().host_gid;
    }
    return put_user(to, status);
}

statx_timestamp stamp(u64 time) {
    i64 const ns = time_of(time);
    return {ns / k_second, static_cast<u32>(ns % k_second), 0};
}

} // namespace

Result sys_newfstatat(u64 directory, u64 path, u64 to, u64 flags) {
    Node* node = nullptr;
    if (Result const result = paths::find_or_open(directory, path, flags, node); result != 0)
        return result;
    if (node == nullptr) return sys_fstat(static_cast<u32>(directory), to);
    return put_status(node, nullptr, to);
}

Result sys_stat(u64 path, u64 to) {
    return sys_newfstatat(k_here, path, to, 0);
}

Result sys_lstat(u64 path, u64 to) {
    return sys_newfstatat(k_here, path, to, AT_SYMLINK_NOFOLLOW);
}

Result sys_fstat(u64 fd, u64 to) {
    OpenFile const* const file = current().files().at(fd);
    return file == nullptr ? -EBADF : put_status(file->node, file, to);
}

Result sys_statx(u64 directory, u64 path, u64 flags, u64, u64 to) {
    Node* node = nullptr;
    if (Result const result = paths::find_or_open(directory, path, flags, node); result != 0)
        return result;
    struct statx status = {};
    status.stx_mask = STATX_BASIC_STATS;
    status.stx_blksize = k_page;
    status.stx_nlink = 1;
    status.stx_mode = static_cast<u16>(node != nullptr ? node->mode : k_nameless_mode);
    status.stx_uid = node != nullptr ? node->owner : boot_info().host_uid;
    status.stx_gid = node != nullptr ? node->group : boot_info().host_gid;
    if (node != nullptr) {
        status.stx_nlink = node->links;
        status.stx_ino = node->number;
        status.stx_size = size_of(*node);
        status.stx_blocks = blocks_of(*node);
        status.stx_atime = stamp(node->accessed);
        status.stx_mtime = stamp(node->modified);
        status.stx_ctime = stamp(node->changed);
        status.stx_dev_minor = static_cast<u32>(device_of(*node));
        if (vfs::is_device(node)) {
            status.stx_rdev_major = static_cast<u32>(node->device >> 8);
            status.stx_rdev_minor = static_cast<u32>(node->device & 255);
        }
    }
    return put_user(to, status);
}

namespace {

Result put_file_system(Node const* node, UserAddr to) {
    struct statfs status = {};
    FileSystem const which = node != nullptr ? node->filesystem : FileSystem::processes;
    status.f_type = which == FileSystem::processes ? PROC_SUPER_MAGIC : TMPFS_MAGIC;
    status.f_bsize = status.f_frsize = k_page;
    status.f_namelen = 255;
    status.f_fsid.val[0] = static_cast<int>(which);
    status.f_flags = 0x20 | 0x1000; // ST_VALID, ST_RELATIME
    if (node != nullptr && vfs::on_disk(node)) {
        diskfs::Usage const usage = diskfs::usage();
        status.f_type = 0x69736f66; // "isof"
        status.f_blocks = static_cast<long>(usage.blocks);
        status.f_bfree = static_cast<long>(usage.free);
        status.f_bavail = static_cast<long>(usage.free - usage.reserved);
        status.f_files = static_cast<long>(usage.inodes);
        status.f_ffree = static_cast<long>(usage.free_inodes);
    } else if (node != nullptr && vfs::is_writable(node)) {
        u64 const reserve = frames.total() / 16;
        u64 const free = frames.available();
        status.f_blocks = static_cast<long>(frames.total() - reserve);
        status.f_bfree = status.f_bavail = static_cast<long>(free > reserve ? free - reserve : 0);
        status.f_files = status.f_blocks;
        status.f_ffree = status.f_bfree;
    } else if (which != FileSystem::processes) {
        status.f_flags |= 1; // ST_RDONLY
    }
    return put_user(to, status);
}

} // namespace

Result sys_statfs(u64 path, u64 to) {
    Node* node = nullptr;
    Result const result = paths::find(k_here, path, true, node);
    return result != 0 ? result : put_file_system(node, to);
}

Result sys_fstatfs(u64 fd, u64 to) {
    OpenFile const* const file = current().files().at(fd);
    return file == nullptr ? -EBADF : put_file_system(file->node, to);
}

} // namespace iso::guest
