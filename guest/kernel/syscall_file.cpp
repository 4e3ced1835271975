// System calls on open files.
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/uio.h>

namespace iso::guest {

namespace {

constexpr u64 k_transfer_max = 0x7ffff000; // as Linux: read(2), NOTES

bool readable(OpenFile const& file) {
    return (file.flags & O_ACCMODE) != O_WRONLY;
}
bool writable(OpenFile const& file) {
    return (file.flags & O_ACCMODE) != O_RDONLY;
}

Result read_at(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    if (!readable(file)) return -EBADF;
    if (file.node != nullptr && vfs::is_directory(file.node)) return -EISDIR;
    if (file.operations->read == nullptr) return -EINVAL;
    return file.operations->read(file, to, smaller(bytes, k_transfer_max), offset);
}

Result write_at(OpenFile& file, UserAddr from, u64 bytes, u64 offset) {
    if (!writable(file) || file.operations->write == nullptr) return -EBADF;
    Result const result =
        file.operations->write(file, from, smaller(bytes, k_transfer_max), offset);
    if (result == -EPIPE) current().signals.raise(SIGPIPE);
    return result;
}

Result read_next(OpenFile& file, UserAddr to, u64 bytes) {
    Result const result = read_at(file, to, bytes, file.offset);
    if (result > 0 && file.operations->seekable) file.offset += static_cast<u64>(result);
    return result;
}

Result write_next(OpenFile& file, UserAddr from, u64 bytes) {
    Result const result = write_at(file, from, bytes, file.offset);
    if (result > 0 && file.operations->seekable) file.offset += static_cast<u64>(result);
    return result;
}

// Transfers piece after piece until one comes up short. An error counts only when nothing was
// moved.
Result for_each_piece(u64 fd, UserAddr pieces, u64 count,
                      Result (*transfer)(OpenFile&, UserAddr, u64)) {
    OpenFile* const file = current().files.at(fd);
    if (file == nullptr) return -EBADF;
    if (count > UIO_MAXIOV) return -EINVAL;
    u64 done = 0;
    for (u64 i = 0; i < count; ++i) {
        struct {
            u64 base, bytes;
        } piece;
        Result result = get_user(piece, pieces + i * sizeof piece);
        if (result == 0 && static_cast<i64>(piece.bytes) < 0) result = -EINVAL;
        if (result == 0) result = transfer(*file, piece.base, piece.bytes);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < piece.bytes) break;
    }
    return static_cast<Result>(done);
}

} // namespace

Result sys_read(u64 fd, u64 to, u64 bytes) {
    OpenFile* const file = current().files.at(fd);
    return file == nullptr ? -EBADF : read_next(*file, to, bytes);
}

Result sys_write(u64 fd, u64 from, u64 bytes) {
    OpenFile* const file = current().files.at(fd);
    return file == nullptr ? -EBADF : write_next(*file, from, bytes);
}

Result sys_readv(u64 fd, u64 pieces, u64 count) {
    return for_each_piece(fd, pieces, count, read_next);
}

Result sys_writev(u64 fd, u64 pieces, u64 count) {
    return for_each_piece(fd, pieces, count, write_next);
}

Result sys_pread64(u64 fd, u64 to, u64 bytes, u64 offset) {
    OpenFile* const file = current().files.at(fd);
    if (file == nullptr) return -EBADF;
    if (static_cast<i64>(offset) < 0) return -EINVAL;
    if (file->node == nullptr) return -ESPIPE;
    return read_at(*file, to, bytes, offset);
}

Result sys_pwrite64(u64 fd, u64 from, u64 bytes, u64 offset) {
    OpenFile* const file = current().files.at(fd);
    if (file == nullptr) return -EBADF;
    if (static_cast<i64>(offset) < 0) return -EINVAL;
    if (file->node == nullptr) return -ESPIPE;
    return write_at(*file, from, bytes, offset);
}

Result sys_lseek(u64 fd, u64 offset, u64 whence) {
    OpenFile* const file = current().files.at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr) return -ESPIPE;
    i64 const distance = static_cast<i64>(offset);
    i64 target = 0;
    auto const size = static_cast<i64>(file->node->size);
    switch (whence) {
    case SEEK_SET:
        target = distance;
        break;
    case SEEK_CUR:
        target = static_cast<i64>(file->offset) + distance;
        break;
    case SEEK_END:
        target = size + distance;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (distance < 0 || distance >= size) return -ENXIO;
        target = whence == SEEK_DATA ? distance : size;
        break;
    default:
        return -EINVAL;
    }
    if (target < 0) return -EINVAL;
    file->offset = static_cast<u64>(target);
    return target;
}

Result sys_close(u64 fd) {
    return current().files.close(fd);
}

Result sys_dup(u64 fd) {
    return sys_fcntl(fd, F_DUPFD, 0);
}

Result sys_dup2(u64 from, u64 to) {
    FileTable& files = current().files;
    if (from == to) return files.at(from) != nullptr ? static_cast<Result>(to) : -EBADF;
    return files.duplicate(from, to, false);
}

Result sys_dup3(u64 from, u64 to, u64 flags) {
    if (from == to || (flags & ~u64{O_CLOEXEC}) != 0) return -EINVAL;
    return current().files.duplicate(from, to, flags != 0);
}

Result sys_fcntl(u64 fd, u64 command, u64 argument) {
    FileTable& files = current().files;
    OpenFile* const file = files.at(fd);
    if (file == nullptr) return -EBADF;
    constexpr u32 k_changeable = O_APPEND | O_NONBLOCK;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if (argument >= FileTable::k_files) return -EINVAL;
        ++file->references;
        return files.add(file, static_cast<u32>(argument), command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return files.close_on_exec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        files.set_close_on_exec(fd, (argument & FD_CLOEXEC) != 0);
        return 0;
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        file->flags = (file->flags & ~k_changeable) | (static_cast<u32>(argument) & k_changeable);
        return 0;
    default:
        return -EINVAL;
    }
}

Result sys_ioctl(u64 fd, u64, u64) {
    return current().files.at(fd) == nullptr ? -EBADF : -ENOTTY; // nothing here is a terminal
}

// struct linux_dirent64, getdents64(2). The offset counts entries: "." and ".." are 0 and 1.
Result sys_getdents64(u64 fd, u64 to, u64 bytes) {
    struct Entry {
        u64 number;
        i64 next;
        u16 bytes;
        u8 type;
        char name[256 + 8];
    };
    constexpr u64 k_name_at = 19;
    OpenFile* const file = current().files.at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || !vfs::is_directory(file->node)) return -ENOTDIR;

    Node* child = file->node->children;
    for (u64 skip = 2; skip < file->offset && child != nullptr; ++skip)
        child = child->sibling;
    u64 done = 0;
    for (;; ++file->offset) {
        Node const* const node = file->offset == 0   ? file->node
                                 : file->offset == 1 ? file->node->parent
                                                     : child;
        if (node == nullptr) break;
        Text const name = file->offset == 0 ? "." : file->offset == 1 ? ".." : node->name;
        static Entry entry;
        entry.number = node->number;
        entry.next = static_cast<i64>(file->offset + 1);
        entry.bytes = static_cast<u16>((k_name_at + name.size + 1 + 7) & ~7ull);
        entry.type = static_cast<u8>(node->mode >> 12);
        for (u64 i = 0; i < name.size; ++i)
            entry.name[i] = name[i];
        entry.name[name.size] = 0;
        if (done + entry.bytes > bytes) return done != 0 ? static_cast<Result>(done) : -EINVAL;
        if (Result const result = copy_out(to + done, &entry, entry.bytes); result != 0)
            return done != 0 ? static_cast<Result>(done) : result;
        done += entry.bytes;
        if (file->offset >= 2) child = child->sibling;
    }
    return static_cast<Result>(done);
}

} // namespace iso::guest
