// System calls on names: finding and opening.
#include "guest/kernel/syscall_path.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/fs_device.hpp"
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/procfs.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/fcntl.h>

namespace iso::guest {

namespace paths {

char buffers[2][k_path_max];

Node* working_directory() {
    Process& process = current();
    if (process.directory == nullptr) {
        Node* found = vfs::root();
        iso_boot_info const& boot = boot_info();
        Text const path{linear<char>(boot.arguments + boot.workdir), boot.workdir_bytes};
        if (vfs::lookup(vfs::root(), path, true, found) != 0 || !vfs::is_directory(found))
            found = vfs::root();
        vfs::hold(found);
        process.directory = found;
    }
    return process.directory;
}

namespace {

// The directory that a relative path of an *at call starts from.
Result start_of(u64 directory, Text path, Node*& start) {
    if (!path.empty() && path[0] == '/') {
        start = vfs::root();
    } else if (static_cast<int>(directory) == AT_FDCWD) {
        start = working_directory();
    } else {
        OpenFile* const file = current().files().at(static_cast<u32>(directory));
        if (file == nullptr) return -EBADF;
        if (file->node == nullptr) return -ENOTDIR;
        start = file->node;
    }
    return 0;
}

} // namespace

Result text_at(UserAddr path, Text& text, u32 which) {
    Result const length = copy_string(buffers[which], path, k_path_max);
    if (length < 0) return length;
    text = {buffers[which], static_cast<u64>(length)};
    return 0;
}

Result find_place(u64 directory, UserAddr path, bool follow, vfs::Place& place, u32 which) {
    Text text;
    if (Result const result = text_at(path, text, which); result != 0) return result;
    Node* start = nullptr;
    if (Result const result = start_of(directory, text, start); result != 0) return result;
    return vfs::find(start, text, follow, place);
}

Result find(u64 directory, UserAddr path, bool follow, Node*& found) {
    vfs::Place place;
    if (Result const result = find_place(directory, path, follow, place); result != 0)
        return result;
    found = place.node;
    return found != nullptr ? 0 : -ENOENT;
}

Result find_or_open(u64 directory, UserAddr path, u64 flags, Node*& found) {
    char first = 0;
    if ((flags & AT_EMPTY_PATH) == 0 || get_user(first, path) != 0 || first != 0)
        return find(directory, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, found);
    if (static_cast<int>(directory) == AT_FDCWD) {
        found = working_directory();
        return 0;
    }
    OpenFile const* const file = current().files().at(static_cast<u32>(directory));
    if (file == nullptr) return -EBADF;
    found = file->node;
    return 0;
}

Result may_change(Node const* directory) {
    if (directory->filesystem == FileSystem::processes) return -EPERM;
    if (!vfs::is_writable(directory)) return -EROFS;
    if (directory->entry == nullptr) return -ENOENT; // it was removed
    return vfs::permits(directory, 3);
}

Result make(vfs::Place const& place, u32 mode, Node*& made) {
    if (Result const result = may_change(place.directory); result != 0) return result;
    if (!ramfs::has_room()) return -ENOSPC;
    bool const on_disk = vfs::on_disk(place.directory);
    if (on_disk)
        if (Result const result = diskfs::begin(); result != 0) return result;
    made = vfs::make(place.directory, place.name, mode);
    if (made == nullptr) return -ENOSPC;
    if (on_disk) {
        if (Result const result = diskfs::adopt(*made); result != 0) {
            vfs::remove(made->entry);
            return result;
        }
    } else if (vfs::is_file(made)) {
        made->operations = &ramfs::file_operations;
    }
    vfs::content_changed(place.directory);
    made->accessed = made->modified = made->changed = place.directory->changed;
    if (on_disk) diskfs::store(*made);
    return 0;
}

} // namespace paths

namespace {

constexpr u32 k_large_file = 0100000; // what F_GETFL shows of every file on x86-64
constexpr u32 k_only_for_opening = O_CLOEXEC | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC;

Result refuse_read(OpenFile&, UserAddr, u64, u64) {
    return -EBADF;
}

constexpr FileOperations k_directory = {.seekable = true};
constexpr FileOperations k_path_only = {.read = refuse_read, .write = refuse_read};

// May what is there be opened like this?
Result check(Node const* node, u64 flags) {
    bool const writes = (flags & O_ACCMODE) != O_RDONLY;
    if (vfs::is_directory(node)) {
        if (writes || (flags & O_CREAT) != 0) return -EISDIR;
    } else if ((flags & O_DIRECTORY) != 0) {
        return -ENOTDIR;
    }
    if ((flags & O_PATH) != 0) return 0;
    if (vfs::is_link(node)) return -ELOOP;
    bool const cuts = (flags & O_TRUNC) != 0 && vfs::is_file(node);
    u32 const wanted = ((flags & O_ACCMODE) != O_WRONLY ? 4u : 0u) | (writes || cuts ? 2u : 0u);
    if (Result const result = vfs::permits(node, wanted); result != 0) return result;
    // There is no controlling terminal.
    return vfs::is_device(node) && node->device == k_terminal_number ? -ENXIO : 0;
}

Result open_node(Node* node, u64 flags, OpenFile*& file) {
    auto const kept = static_cast<u32>(flags & ~u64{k_only_for_opening}) | k_large_file;
    if ((flags & O_PATH) == 0 && vfs::is_fifo(node)) return open_fifo(*node, kept, file);
    FileOperations const* operations =
        node->operations != nullptr ? node->operations : &k_directory;
    if ((flags & O_PATH) != 0) operations = &k_path_only;
    file = make_file(node, operations, kept);
    return file != nullptr ? 0 : -ENOMEM;
}

} // namespace

Result sys_open(u64 path, u64 flags, u64 mode) {
    return sys_openat(static_cast<u64>(AT_FDCWD), path, flags, mode);
}

Result sys_creat(u64 path, u64 mode) {
    return sys_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

Result sys_openat(u64 directory, u64 path, u64 flags, u64 mode) {
    constexpr u64 k_nameless = __O_TMPFILE;
    if ((flags & k_nameless) != 0) return -EOPNOTSUPP;
    bool const exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    vfs::Place place;
    if (Result const result =
            paths::find_place(directory, path, (flags & O_NOFOLLOW) == 0 && !exclusive, place);
        result != 0)
        return result;
    Node* node = place.node;
    OpenFile* file = nullptr;
    if (node == nullptr) {
        if ((flags & O_CREAT) == 0) return -ENOENT;
        if (place.slash) return -EISDIR;
        u32 const rights = static_cast<u32>(mode) & 07777 & ~current().umask;
        if (Result const result = paths::make(place, k_type_file | rights, node); result != 0)
            return result;
    } else {
        if (exclusive) return -EEXIST;
        // /dev/stdin and the like, when they are no node that could be opened again.
        file =
            vfs::is_link(node) && (flags & O_NOFOLLOW) == 0 ? procfs::file_behind(node) : nullptr;
        if (file != nullptr) {
            ++file->references;
            return current().files().add(file, 0, (flags & O_CLOEXEC) != 0);
        }
        if (Result const result = check(node, flags); result != 0) return result;
        if ((flags & (O_TRUNC | O_PATH)) == O_TRUNC && vfs::is_file(node) &&
            vfs::is_writable(node)) {
            if (Result const result = cut_file(*node, 0); result != 0) return result;
            vfs::content_changed(node);
        }
    }
    if (Result const result = open_node(node, flags, file); result != 0) return result;
    return current().files().add(file, 0, (flags & O_CLOEXEC) != 0);
}

Result sys_access(u64 path, u64 mode) {
    return sys_faccessat2(static_cast<u64>(AT_FDCWD), path, mode, 0);
}

Result sys_faccessat(u64 directory, u64 path, u64 mode) {
    return sys_faccessat2(directory, path, mode, 0);
}

Result sys_faccessat2(u64 directory, u64 path, u64 mode, u64 flags) {
    if ((mode & ~7ull) != 0) return -EINVAL;
    Node* node = nullptr;
    if (Result const result = paths::find_or_open(directory, path, flags, node); result != 0)
        return result;
    return node != nullptr ? vfs::permits(node, static_cast<u32>(mode)) : 0;
}

Result sys_readlink(u64 path, u64 to, u64 bytes) {
    return sys_readlinkat(static_cast<u64>(AT_FDCWD), path, to, bytes);
}

Result sys_readlinkat(u64 directory, u64 path, u64 to, u64 bytes) {
    if (static_cast<int>(bytes) <= 0) return -EINVAL;
    Node* node = nullptr;
    if (Result const result =
            paths::find_or_open(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, node);
        result != 0)
        return result;
    if (node == nullptr || !vfs::is_link(node)) return -EINVAL;
    Text text;
    if (Result const result = vfs::link_text(node, paths::buffers[1], paths::k_path_max, text);
        result != 0)
        return result;
    u64 const length = smaller(bytes, text.size);
    Result const result = copy_out(to, text.data, length);
    return result != 0 ? result : static_cast<Result>(length);
}

Result sys_getcwd(u64 to, u64 bytes) {
    char* const buffer = paths::buffers[0];
    Text path;
    if (Result const result =
            vfs::path_of(paths::working_directory(), buffer, paths::k_path_max - 1, path);
        result != 0)
        return result;
    buffer[paths::k_path_max - 1] = 0;
    u64 const length = path.size + 1;
    if (length > bytes) return -ERANGE;
    Result const result = copy_out(to, path.data, length);
    return result != 0 ? result : static_cast<Result>(length);
}

namespace {

Result change_directory(Node* node) {
    if (!vfs::is_directory(node)) return -ENOTDIR;
    if (Result const result = vfs::permits(node, 1); result != 0) return result;
    Node* const old = paths::working_directory();
    vfs::hold(node);
    current().directory = node;
    vfs::unhold(old);
    return 0;
}

} // namespace

Result sys_chdir(u64 path) {
    Node* node = nullptr;
    Result const result = paths::find(static_cast<u64>(AT_FDCWD), path, true, node);
    return result != 0 ? result : change_directory(node);
}

Result sys_fchdir(u64 fd) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    return file->node != nullptr ? change_directory(file->node) : -ENOTDIR;
}

Result sys_umask(u64 mask) {
    u32 const old = current().umask;
    current().umask = static_cast<u32>(mask) & 0777;
    return old;
}

} // namespace iso::guest
