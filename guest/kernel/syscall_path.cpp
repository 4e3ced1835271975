// System calls on names.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

#include <asm/stat.h>
#include <linux/fcntl.h>

namespace iso::guest {

namespace {

constexpr u64 k_path_max = 4096;
char path_buffer[k_path_max]; // the kernel serves one call at a time

Node* working_directory() {
    Process& process = current();
    if (process.directory == nullptr) {
        Node* found = vfs::root();
        iso_boot_info const& boot = boot_info();
        Text const path{linear<char>(boot.arguments + boot.workdir), boot.workdir_bytes};
        if (vfs::lookup(vfs::root(), path, true, found) != 0 || !vfs::is_directory(found))
            found = vfs::root();
        process.directory = found;
    }
    return process.directory;
}

// The directory that a relative path of an *at call starts from.
Result start_of(u64 directory, Text path, Node*& start) {
    if (!path.empty() && path[0] == '/') {
        start = vfs::root();
    } else if (static_cast<int>(directory) == AT_FDCWD) {
        start = working_directory();
    } else {
        OpenFile* const file = current().files.at(static_cast<u32>(directory));
        if (file == nullptr) return -EBADF;
        if (file->node == nullptr) return -ENOTDIR;
        start = file->node;
    }
    return 0;
}

Result find(u64 directory, UserAddr path, bool follow, Node*& found) {
    Result const length = copy_string(path_buffer, path, k_path_max);
    if (length < 0) return length;
    Text const text{path_buffer, static_cast<u64>(length)};
    Node* start = nullptr;
    if (Result const result = start_of(directory, text, start); result != 0) return result;
    return vfs::lookup(start, text, follow, found);
}

Result put_status(Node const* node, UserAddr to) {
    iso_boot_info const& boot = boot_info();
    struct stat status = {};
    status.st_dev = 1;
    status.st_nlink = 1;
    status.st_mode = k_type_fifo | 0600; // what is behind the console is the engine's business
    status.st_blksize = k_page;
    status.st_uid = boot.host_uid;
    status.st_gid = boot.host_gid;
    if (node != nullptr) {
        status.st_ino = node->number;
        status.st_mode = node->mode;
        status.st_rdev = node->device;
        status.st_size = static_cast<long>(node->size);
        status.st_blocks = static_cast<long>((node->size + 511) / 512);
    }
    return put_user(to, status);
}

Result check_access(Node const* node, u64 mode) {
    constexpr u64 k_execute = 1, k_write = 2;
    if ((mode & ~7ull) != 0) return -EINVAL;
    bool const device = vfs::is_device(node);
    if ((mode & k_write) != 0 && !device) return -EROFS;
    if ((mode & k_execute) != 0 && (node->mode & 0111) == 0) return -EACCES;
    return 0;
}

} // namespace

Result sys_open(u64 path, u64 flags, u64 mode) {
    return sys_openat(static_cast<u64>(AT_FDCWD), path, flags, mode);
}

Result sys_openat(u64 directory, u64 path, u64 flags, u64) {
    Node* node = nullptr;
    Result const result = find(directory, path, (flags & O_NOFOLLOW) == 0, node);
    if (result == -ENOENT && (flags & O_CREAT) != 0) return -EROFS;
    if (result != 0) return result;
    if (vfs::is_link(node)) return -ELOOP;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return -EEXIST;
    bool const writes = (flags & O_ACCMODE) != O_RDONLY;
    if (vfs::is_directory(node)) {
        if (writes || (flags & O_CREAT) != 0) return -EISDIR;
    } else {
        if ((flags & O_DIRECTORY) != 0) return -ENOTDIR;
        if (vfs::is_file(node) && (writes || (flags & O_TRUNC) != 0)) return -EROFS;
        if (node->device == (5 << 8)) return -ENXIO; // there is no controlling terminal
    }
    static constexpr FileOperations k_directory = {nullptr, nullptr, true};
    FileOperations const* const operations =
        node->operations != nullptr ? node->operations : &k_directory;
    OpenFile* const file = make_file(node, operations, static_cast<u32>(flags & ~u64{O_CLOEXEC}));
    if (file == nullptr) return -ENOMEM;
    return current().files.add(file, 0, (flags & O_CLOEXEC) != 0);
}

Result sys_newfstatat(u64 directory, u64 path, u64 to, u64 flags) {
    char first = 0;
    if ((flags & AT_EMPTY_PATH) != 0 && get_user(first, path) == 0 && first == 0)
        return static_cast<int>(directory) == AT_FDCWD ? put_status(working_directory(), to)
                                                       : sys_fstat(directory, to);
    Node* node = nullptr;
    Result const result = find(directory, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, node);
    return result != 0 ? result : put_status(node, to);
}

Result sys_stat(u64 path, u64 to) {
    return sys_newfstatat(static_cast<u64>(AT_FDCWD), path, to, 0);
}

Result sys_lstat(u64 path, u64 to) {
    return sys_newfstatat(static_cast<u64>(AT_FDCWD), path, to, AT_SYMLINK_NOFOLLOW);
}

Result sys_fstat(u64 fd, u64 to) {
    OpenFile const* const file = current().files.at(fd);
    return file == nullptr ? -EBADF : put_status(file->node, to);
}

Result sys_access(u64 path, u64 mode) {
    return sys_faccessat2(static_cast<u64>(AT_FDCWD), path, mode, 0);
}

Result sys_faccessat(u64 directory, u64 path, u64 mode) {
    return sys_faccessat2(directory, path, mode, 0);
}

Result sys_faccessat2(u64 directory, u64 path, u64 mode, u64 flags) {
    Node* node = nullptr;
    Result const result = find(directory, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, node);
    return result != 0 ? result : check_access(node, mode);
}

Result sys_readlink(u64 path, u64 to, u64 bytes) {
    return sys_readlinkat(static_cast<u64>(AT_FDCWD), path, to, bytes);
}

Result sys_readlinkat(u64 directory, u64 path, u64 to, u64 bytes) {
    if (static_cast<i64>(bytes) <= 0) return -EINVAL;
    Node* node = nullptr;
    if (Result const result = find(directory, path, false, node); result != 0) return result;
    if (!vfs::is_link(node)) return -EINVAL;
    Text const target = vfs::link_target(node);
    u64 const length = smaller(bytes, target.size);
    Result const result = copy_out(to, target.data, length);
    return result != 0 ? result : static_cast<Result>(length);
}

Result sys_getcwd(u64 to, u64 bytes) {
    Result const length = vfs::path_of(working_directory(), path_buffer, k_path_max - 1);
    if (length < 0) return length;
    path_buffer[length] = 0;
    if (static_cast<u64>(length) + 1 > bytes) return -ERANGE;
    Result const result = copy_out(to, path_buffer, static_cast<u64>(length) + 1);
    return result != 0 ? result : length + 1;
}

Result sys_chdir(u64 path) {
    Node* node = nullptr;
    if (Result const result = find(static_cast<u64>(AT_FDCWD), path, true, node); result != 0)
        return result;
    if (!vfs::is_directory(node)) return -ENOTDIR;
    current().directory = node;
    return 0;
}

Result sys_umask(u64 mask) {
    u32 const old = current().umask;
    current().umask = static_cast<u32>(mask) & 0777;
    return old;
}

// Calls that would change the tree, which is read-only.
Result sys_read_only_path(u64 path) {
    return sys_read_only_path_at(static_cast<u64>(AT_FDCWD), path);
}

Result sys_read_only_path_at(u64 directory, u64 path) {
    Result const length = copy_string(path_buffer, path, k_path_max);
    if (length < 0) return length;
    Text const text{path_buffer, static_cast<u64>(length)};
    Node* start = nullptr;
    Result const result = start_of(directory, text, start);
    return result != 0 ? result : -EROFS;
}

} // namespace iso::guest
