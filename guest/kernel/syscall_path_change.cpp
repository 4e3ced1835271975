// System calls that make, move and remove names.
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/syscall_path.hpp"
#include "guest/kernel/vfs_text.hpp"

#include <linux/fcntl.h>
#include <linux/fs.h>

namespace iso::guest {

namespace {

constexpr u64 k_here = static_cast<u64>(AT_FDCWD);

bool is_dots(Text name) {
    return name.empty() || name == "." || name == "..";
}

// Where a name is to be made; nothing is there.
Result find_free(u64 directory, UserAddr path, vfs::Place& place, u32 which = 0) {
    if (Result const result = paths::find_place(directory, path, false, place, which); result != 0)
        return result;
    return place.node != nullptr ? -EEXIST : 0;
}

// The name at `place` is to be removed or replaced.
Result may_remove(vfs::Place const& place) {
    if (Result const result = paths::may_change(place.directory); result != 0) return result;
    if (place.node == nullptr) return -ENOENT;
    return vfs::is_writable(place.node) ? 0 : -EROFS;
}

u32 rights(u64 mode) {
    return static_cast<u32>(mode) & 07777 & ~current().umask;
}

Result remove_entry(vfs::Place const& place) {
    if (vfs::on_disk(place.node)) {
        Result result = diskfs::begin();
        if (result == 0) result = diskfs::remove_name(*place.entry);
        if (result != 0) return result;
    }
    vfs::state_changed(place.node);
    vfs::remove(place.entry);
    vfs::content_changed(place.directory);
    return 0;
}

Result unlink(u64 directory, UserAddr path) {
    vfs::Place place;
    if (Result const result = paths::find_place(directory, path, false, place); result != 0)
        return result;
    if (is_dots(place.name)) return -EISDIR;
    if (Result const result = may_remove(place); result != 0) return result;
    if (vfs::is_directory(place.node)) return -EISDIR;
    return remove_entry(place);
}

Result remove_directory(u64 directory, UserAddr path) {
    vfs::Place place;
    if (Result const result = paths::find_place(directory, path, false, place); result != 0)
        return result;
    if (place.name == ".") return -EINVAL;
    if (place.name == "..") return -ENOTEMPTY;
    if (place.name.empty()) return -EBUSY;
    if (Result const result = may_remove(place); result != 0) return result;
    if (!vfs::is_directory(place.node)) return -ENOTDIR;
    if (Result const result = vfs::check_empty(place.node); result != 0) return result;
    return remove_entry(place);
}

bool lies_in(Node* node, Node const* directory) {
    for (;; node = vfs::parent_of(node)) {
        if (node == directory) return true;
        if (node == vfs::root()) return false;
    }
}

Result check_replace(vfs::Place const& from, vfs::Place const& to) {
    bool const directory = vfs::is_directory(from.node);
    if (!directory && to.slash) return -ENOTDIR;
    if (directory && lies_in(to.directory, from.node)) return -EINVAL;
    if (to.node == nullptr) return 0;
    if (!vfs::is_writable(to.node)) return -EROFS;
    if (directory != vfs::is_directory(to.node)) return directory ? -ENOTDIR : -EISDIR;
    return directory ? vfs::check_empty(to.node) : 0;
}

Result rename(u64 from_directory, UserAddr from_path, u64 to_directory, UserAddr to_path,
              u64 flags) {
    if ((flags & ~u64{RENAME_NOREPLACE}) != 0) return -EINVAL;
    vfs::Place from;
    if (Result const result = paths::find_place(from_directory, from_path, false, from, 0);
        result != 0)
        return result;
    vfs::Place to;
    if (Result const result = paths::find_place(to_directory, to_path, false, to, 1); result != 0)
        return result;
    if (from.directory->filesystem != to.directory->filesystem) return -EXDEV;
    if (is_dots(from.name) || is_dots(to.name)) return -EBUSY;
    if (Result const result = may_remove(from); result != 0) return result;
    if (Result const result = paths::may_change(to.directory); result != 0) return result;
    if (to.node != nullptr && flags != 0) return -EEXIST;
    if (to.node == from.node) return 0; // two names of one file: rename(2) leaves both
    if (Result const result = check_replace(from, to); result != 0) return result;
    if (vfs::on_disk(from.node))
        if (Result const result = diskfs::begin(); result != 0) return result;
    if (to.node != nullptr) vfs::state_changed(to.node);
    if (Result const result = vfs::move(from.entry, to.directory, to.name, to.entry); result != 0)
        return result;
    vfs::content_changed(from.directory);
    vfs::content_changed(to.directory);
    vfs::state_changed(from.node);
    return 0;
}

Result link(Node* node, u64 directory, UserAddr path) {
    vfs::Place place;
    if (Result const result = find_free(directory, path, place, 1); result != 0) return result;
    if (Result const result = paths::may_change(place.directory); result != 0) return result;
    if (node == nullptr || node->filesystem != place.directory->filesystem) return -EXDEV;
    if (vfs::is_directory(node)) return -EPERM;
    if (place.slash || node->links == 0) return -ENOENT;
    if (!ramfs::has_room()) return -ENOSPC;
    bool const on_disk = vfs::on_disk(node);
    if (on_disk)
        if (Result const result = diskfs::begin(); result != 0) return result;
    if (!vfs::enter(place.directory, place.name, node)) return -ENOSPC;
    if (on_disk)
        if (Result const result = diskfs::add_name(*node->entry); result != 0) {
            vfs::remove(node->entry);
            return result;
        }
    vfs::content_changed(place.directory);
    vfs::state_changed(node);
    return 0;
}

} // namespace

Result sys_mkdirat(u64 directory, u64 path, u64 mode) {
    vfs::Place place;
    if (Result const result = find_free(directory, path, place); result != 0) return result;
    Node* made = nullptr;
    return paths::make(place, k_type_directory | (rights(mode) & 01777), made);
}

Result sys_mkdir(u64 path, u64 mode) {
    return sys_mkdirat(k_here, path, mode);
}

Result sys_mknodat(u64 directory, u64 path, u64 mode, u64) {
    u32 type = static_cast<u32>(mode) & k_type_mask;
    if (type == 0) type = k_type_file;
    if (type == k_type_directory) return -EPERM;
    vfs::Place place;
    if (Result const result = find_free(directory, path, place); result != 0) return result;
    if (place.slash) return -ENOENT;
    if (type != k_type_file && type != k_type_fifo) return -EPERM; // there are no other devices
    Node* made = nullptr;
    return paths::make(place, type | rights(mode), made);
}

Result sys_mknod(u64 path, u64 mode, u64 device) {
    return sys_mknodat(k_here, path, mode, device);
}

Result sys_rmdir(u64 path) {
    return remove_directory(k_here, path);
}

Result sys_unlink(u64 path) {
    return unlink(k_here, path);
}

Result sys_unlinkat(u64 directory, u64 path, u64 flags) {
    if ((flags & ~u64{AT_REMOVEDIR}) != 0) return -EINVAL;
    return flags != 0 ? remove_directory(directory, path) : unlink(directory, path);
}

Result sys_rename(u64 from, u64 to) {
    return rename(k_here, from, k_here, to, 0);
}

Result sys_renameat(u64 from_directory, u64 from, u64 to_directory, u64 to) {
    return rename(from_directory, from, to_directory, to, 0);
}

Result sys_renameat2(u64 from_directory, u64 from, u64 to_directory, u64 to, u64 flags) {
    return rename(from_directory, from, to_directory, to, flags);
}

Result sys_linkat(u64 from_directory, u64 from, u64 to_directory, u64 to, u64 flags) {
    if ((flags & ~u64{AT_SYMLINK_FOLLOW | AT_EMPTY_PATH}) != 0) return -EINVAL;
    u64 const look =
        (flags & AT_EMPTY_PATH) | ((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : u64{AT_SYMLINK_NOFOLLOW});
    Node* node = nullptr;
    if (Result const result = paths::find_or_open(from_directory, from, look, node); result != 0)
        return result;
    if (node == nullptr) return -EXDEV;
    vfs::hold(node); // looking up the other path may make entries of /proc go
    Result const result = link(node, to_directory, to);
    vfs::unhold(node);
    return result;
}

Result sys_link(u64 from, u64 to) {
    return sys_linkat(k_here, from, k_here, to, 0);
}

Result sys_symlinkat(u64 target, u64 directory, u64 path) {
    Text text;
    if (Result const result = paths::text_at(target, text, 1); result != 0) return result;
    if (text.empty()) return -ENOENT;
    vfs::Place place;
    if (Result const result = find_free(directory, path, place); result != 0) return result;
    if (place.slash) return -ENOENT;
    if (Result const result = paths::may_change(place.directory); result != 0) return result;
    Text const kept = vfs::keep_text(text);
    if (kept.data == nullptr) return -ENOSPC;
    Node* made = nullptr;
    if (Result const result = paths::make(place, k_type_link | 0777, made); result != 0) {
        vfs::drop_text(kept);
        return result;
    }
    made->data = gpa_of(kept.data);
    made->size = kept.size;
    if (!vfs::on_disk(made)) return 0;
    Result const result = diskfs::store_target(*made);
    if (result != 0 && diskfs::remove_name(*made->entry) == 0) vfs::remove(made->entry);
    return result;
}

Result sys_symlink(u64 target, u64 path) {
    return sys_symlinkat(target, k_here, path);
}

} // namespace iso::guest
