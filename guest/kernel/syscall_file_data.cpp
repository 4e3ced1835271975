// System calls on what files hold, other than reading and writing it: room, locks, and promises
// that are kept anyway because all of it is memory.
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/file_lock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"

#include <linux/falloc.h>
#include <linux/fcntl.h>

namespace iso::guest {

Result sys_fallocate(u64 fd, u64 mode, u64 offset, u64 bytes) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr || (file->flags & O_ACCMODE) == O_RDONLY) return -EBADF;
    if (static_cast<i64>(offset) < 0 || static_cast<i64>(bytes) <= 0) return -EINVAL;
    if ((mode & ~u64{FALLOC_FL_KEEP_SIZE}) != 0) return -EOPNOTSUPP;
    if (file->node == nullptr) return -ESPIPE;
    if (!is_paged(*file->node)) return -ENODEV;
    if (offset + bytes > ramfs::k_largest) return -EFBIG;
    Node& node = *file->node;
    if (Result const result = file_allocate(node, offset, bytes); result != 0) return result;
    if (mode == 0 && offset + bytes > node.size) node.size = offset + bytes;
    vfs::content_changed(&node);
    return 0;
}

Result sys_flock(u64 fd, u64 operation) {
    OpenFile* const file = current().files().at(fd);
    return file == nullptr ? -EBADF : lock_whole(*file, operation);
}

namespace {

Result sync_file(u64 fd, bool data_only) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || vfs::is_fifo(file->node)) return -EINVAL;
    return vfs::on_disk(file->node) ? diskfs::sync(data_only) : 0;
}

} // namespace

Result sys_fsync(u64 fd) {
    return sync_file(fd, false);
}

Result sys_fdatasync(u64 fd) {
    return sync_file(fd, true);
}

Result sys_sync_file_range(u64 fd) {
    return sys_fsync(fd);
}

Result sys_syncfs(u64 fd) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    return file->node != nullptr && vfs::on_disk(file->node) ? diskfs::sync() : 0;
}

Result sys_sync() {
    (void)diskfs::sync(); // sync(2) tells nobody
    return 0;
}

Result sys_fadvise64(u64 fd, u64, u64, u64 advice) {
    constexpr u64 k_last_advice = 5; // POSIX_FADV_NOREUSE
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || vfs::is_fifo(file->node)) return -ESPIPE;
    return advice <= k_last_advice ? 0 : -EINVAL;
}

Result sys_readahead(u64 fd) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    return file->node != nullptr && vfs::is_file(file->node) ? 0 : -EINVAL;
}

} // namespace iso::guest
