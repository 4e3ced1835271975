// System calls on open files.
#include "guest/kernel/file_lock.hpp"
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/close_range.h>
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

// While it sleeps another thread may close the file: then it is gone afterwards. What has places
// never sleeps.
Result read_next(OpenFile& file, UserAddr to, u64 bytes) {
    bool const has_places = file.operations->seekable;
    Result const result = read_file_at(file, to, bytes, file.offset);
    if (result > 0 && has_places) file.offset += static_cast<u64>(result);
    return result;
}

Result write_next(OpenFile& file, UserAddr from, u64 bytes) {
    if ((file.flags & O_APPEND) != 0 && file.node != nullptr) file.offset = file.node->size;
    bool const has_places = file.operations->seekable;
    Result const result = write_file_at(file, from, bytes, file.offset);
    if (result > 0 && has_places) file.offset += static_cast<u64>(result);
    return result;
}

// Calls transfer(file, base, bytes, done) for piece after piece until one comes up short. An error
// counts only when nothing was moved.
template <typename Transfer>
Result for_each_piece(u64 fd, UserAddr pieces, u64 count, Transfer transfer) {
    OpenFile* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (count > UIO_MAXIOV) return -EINVAL;
    HeldFile const held(*file);
    u64 done = 0;
    for (u64 i = 0; i < count; ++i) {
        struct {
            u64 base, bytes;
        } piece;
        Result result = get_user(piece, pieces + i * sizeof piece);
        if (result == 0 && static_cast<i64>(piece.bytes) < 0) result = -EINVAL;
        if (result == 0) result = transfer(*file, piece.base, piece.bytes, done);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < piece.bytes) break;
    }
    return static_cast<Result>(done);
}

// The file of a call that names its place; -ESPIPE when it has none.
Result seekable_file(u64 fd, u64 offset, OpenFile*& file) {
    file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (static_cast<i64>(offset) < 0) return -EINVAL;
    bool const has_places = file->node != nullptr && !vfs::is_fifo(file->node);
    return has_places ? 0 : -ESPIPE;
}

u64 write_place(OpenFile const& file, u64 offset) {
    return (file.flags & O_APPEND) != 0 ? file.node->size : offset;
}

} // namespace

Result read_file_at(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    if (!readable(file)) return -EBADF;
    if (file.operations->read == nullptr)
        return file.node != nullptr && vfs::is_directory(file.node) ? -EISDIR : -EINVAL;
    return file.operations->read(file, to, smaller(bytes, k_transfer_max), offset);
}

Result write_file_at(OpenFile& file, UserAddr from, u64 bytes, u64 offset) {
    if (!writable(file)) return -EBADF;
    if (file.operations->write == nullptr) return -EINVAL;
    Result const result =
        file.operations->write(file, from, smaller(bytes, k_transfer_max), offset);
    if (result == -EPIPE) raise_signal(SIGPIPE);
    return result;
}

Result sys_read(u64 fd, u64 to, u64 bytes) {
    OpenFile* const file = current().files().at(fd);
    return file == nullptr ? -EBADF : read_next(*file, to, bytes);
}

Result sys_write(u64 fd, u64 from, u64 bytes) {
    OpenFile* const file = current().files().at(fd);
    return file == nullptr ? -EBADF : write_next(*file, from, bytes);
}

Result sys_readv(u64 fd, u64 pieces, u64 count) {
    return for_each_piece(fd, pieces, count, [](OpenFile& file, UserAddr to, u64 bytes, u64) {
        return read_next(file, to, bytes);
    });
}

Result sys_writev(u64 fd, u64 pieces, u64 count) {
    return for_each_piece(fd, pieces, count, [](OpenFile& file, UserAddr from, u64 bytes, u64) {
        return write_next(file, from, bytes);
    });
}

Result sys_pread64(u64 fd, u64 to, u64 bytes, u64 offset) {
    OpenFile* file = nullptr;
    if (Result const result = seekable_file(fd, offset, file); result != 0) return result;
    return read_file_at(*file, to, bytes, offset);
}

Result sys_pwrite64(u64 fd, u64 from, u64 bytes, u64 offset) {
    OpenFile* file = nullptr;
    if (Result const result = seekable_file(fd, offset, file); result != 0) return result;
    return write_file_at(*file, from, bytes, write_place(*file, offset));
}

Result sys_preadv(u64 fd, u64 pieces, u64 count, u64 offset) {
    OpenFile* at = nullptr;
    if (Result const result = seekable_file(fd, offset, at); result != 0) return result;
    return for_each_piece(fd, pieces, count,
                          [offset](OpenFile& file, UserAddr to, u64 bytes, u64 done) {
                              return read_file_at(file, to, bytes, offset + done);
                          });
}

Result sys_pwritev(u64 fd, u64 pieces, u64 count, u64 offset) {
    OpenFile* at = nullptr;
    if (Result const result = seekable_file(fd, offset, at); result != 0) return result;
    return for_each_piece(
        fd, pieces, count, [offset](OpenFile& file, UserAddr from, u64 bytes, u64 done) {
            return write_file_at(file, from, bytes, write_place(file, offset + done));
        });
}

Result sys_lseek(u64 fd, u64 offset, u64 whence) {
    OpenFile* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || vfs::is_fifo(file->node)) return -ESPIPE;
    if (!file->operations->seekable) return vfs::is_device(file->node) ? 0 : -ESPIPE;
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
        if (is_paged(*file->node)) {
            target = static_cast<i64>(
                file_seek(*file->node, static_cast<u64>(distance), whence == SEEK_DATA));
            if (whence == SEEK_DATA && target == size) return -ENXIO;
        }
        break;
    default:
        return -EINVAL;
    }
    if (target < 0) return -EINVAL;
    file->offset = static_cast<u64>(target);
    return target;
}

Result sys_close(u64 fd) {
    return current().files().close(fd);
}

Result sys_close_range(u64 first, u64 last, u64 flags) {
    if ((flags & ~u64{CLOSE_RANGE_CLOEXEC}) != 0 || first > last) return -EINVAL;
    FileTable& files = current().files();
    for (u64 fd = first; fd <= last && fd < files.end(); ++fd) {
        if (flags == 0)
            files.close(fd);
        else if (files.at(fd) != nullptr)
            files.set_close_on_exec(fd, true);
    }
    return 0;
}

Result sys_pipe2(u64 to, u64 flags) {
    if ((flags & ~u64{O_CLOEXEC | O_NONBLOCK | O_DIRECT}) != 0) return -EINVAL;
    OpenFile* reader = nullptr;
    OpenFile* writer = nullptr;
    auto const status = static_cast<u32>(flags & O_NONBLOCK);
    if (Result const result = make_pipe(reader, writer, status); result != 0) return result;
    FileTable& files = current().files();
    bool const close_on_exec = (flags & O_CLOEXEC) != 0;
    Result const first = files.add(reader, 0, close_on_exec);
    if (first < 0) {
        drop_file(writer);
        return first;
    }
    Result const second = files.add(writer, 0, close_on_exec);
    if (second >= 0) {
        int const both[2] = {static_cast<int>(first), static_cast<int>(second)};
        Result const result = put_user(to, both);
        if (result == 0) return 0;
        files.close(static_cast<u64>(second));
        files.close(static_cast<u64>(first));
        return result;
    }
    files.close(static_cast<u64>(first));
    return second;
}

Result sys_pipe(u64 to) {
    return sys_pipe2(to, 0);
}

Result sys_dup(u64 fd) {
    return sys_fcntl(fd, F_DUPFD, 0);
}

Result sys_dup2(u64 from, u64 to) {
    FileTable& files = current().files();
    if (from == to) return files.at(from) != nullptr ? static_cast<Result>(to) : -EBADF;
    return files.duplicate(from, to, false);
}

Result sys_dup3(u64 from, u64 to, u64 flags) {
    if (from == to || (flags & ~u64{O_CLOEXEC}) != 0) return -EINVAL;
    return current().files().duplicate(from, to, flags != 0);
}

Result sys_fcntl(u64 fd, u64 command, u64 argument) {
    FileTable& files = current().files();
    OpenFile* const file = files.at(fd);
    if (file == nullptr) return -EBADF;
    constexpr u32 k_changeable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
    constexpr Result k_pipe_bytes = 65536;
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
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return control_lock(files, *file, command, argument);
    case F_GETPIPE_SZ:
        return is_pipe(*file) ? k_pipe_bytes : -EBADF;
    case F_SETPIPE_SZ: // it is as large as it is
        if (!is_pipe(*file)) return -EBADF;
        return argument <= k_pipe_bytes ? k_pipe_bytes : -EPERM;
    default:
        return -EINVAL;
    }
}

Result sys_ioctl(u64 fd, u64 request, u64 argument) {
    FileTable& files = current().files();
    OpenFile* const file = files.at(fd);
    if (file == nullptr) return -EBADF;
    switch (static_cast<u32>(request)) {
    case FIOCLEX:
    case FIONCLEX:
        files.set_close_on_exec(fd, request == FIOCLEX);
        return 0;
    case FIONBIO: {
        int on = 0;
        if (Result const result = get_user(on, argument); result != 0) return result;
        file->flags = on != 0 ? file->flags | O_NONBLOCK : file->flags & ~u32{O_NONBLOCK};
        return 0;
    }
    case FIONREAD:
        if (file->node != nullptr && vfs::is_file(file->node)) {
            u64 const size = file->node->size;
            return put_user(argument,
                            static_cast<int>(size > file->offset ? size - file->offset : 0));
        }
        break;
    default:
        break;
    }
    // Nothing here is a terminal.
    return file->operations->ioctl != nullptr ? file->operations->ioctl(*file, request, argument)
                                              : -ENOTTY;
}

} // namespace iso::guest
