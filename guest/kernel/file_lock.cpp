// Advisory locks: a list per file, in which no two of one owner overlap.
#include "guest/kernel/file_lock.hpp"

#include "guest/kernel/pool.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/kernel/wait_queue.hpp"

#include <linux/fcntl.h>
#include <linux/fs.h>

namespace iso::guest {

namespace {

constexpr u64 k_end = ~0ull >> 1; // up to the end of the file, wherever that is

constinit Pool<FileLock> locks("file_lock");
WaitQueue changed; // some lock ended

bool overlap(FileLock const& a, FileLock const& b) {
    return a.whole == b.whole && a.first <= b.last && b.first <= a.last;
}

FileLock const* conflict(Node const& node, FileLock const& wanted) {
    for (FileLock const* lock = node.locks; lock != nullptr; lock = lock->next)
        if (lock->owner != wanted.owner && overlap(*lock, wanted) &&
            (lock->exclusive || wanted.exclusive))
            return lock;
    return nullptr;
}

// Takes the range away from the owner's locks: they end, shrink, or become two.
Result carve(Node& node, FileLock const& range) {
    for (FileLock** place = &node.locks; *place != nullptr;) {
        FileLock& lock = **place;
        if (lock.owner != range.owner || !overlap(lock, range)) {
            place = &lock.next;
            continue;
        }
        bool const below = lock.first < range.first;
        bool const above = lock.last > range.last;
        if (below && above) {
            FileLock* const upper = locks.make();
            if (upper == nullptr) return -ENOLCK;
            *upper = lock;
            upper->first = range.last + 1;
            lock.last = range.first - 1;
            lock.next = upper;
            place = &upper->next;
        } else if (below || above) {
            if (below) lock.last = range.first - 1;
            if (above) lock.first = range.last + 1;
            place = &lock.next;
        } else {
            *place = lock.next;
            locks.drop(&lock);
        }
    }
    changed.wake_all();
    return 0;
}

Result set(OpenFile& file, FileLock const& wanted, bool waits) {
    HeldFile const held(file);
    Node& node = *file.node;
    while (conflict(node, wanted) != nullptr) {
        if (!waits) return -EAGAIN;
        if (block(changed) == Woken::signal) return -k_restart;
    }
    FileLock* const lock = locks.make();
    if (lock == nullptr) return -ENOLCK;
    if (Result const result = carve(node, wanted); result != 0) {
        locks.drop(lock);
        return result;
    }
    *lock = wanted;
    lock->next = node.locks;
    node.locks = lock;
    return 0;
}

// The range that l_whence, l_start and l_len mean.
Result range_of(OpenFile const& file, struct flock const& given, FileLock& range) {
    i64 base = 0;
    if (given.l_whence == SEEK_CUR)
        base = static_cast<i64>(file.offset);
    else if (given.l_whence == SEEK_END)
        base = static_cast<i64>(file.node->size);
    else if (given.l_whence != SEEK_SET)
        return -EINVAL;
    i64 first = 0;
    i64 behind = 0;
    if (__builtin_add_overflow(base, given.l_start, &first)) return -EOVERFLOW;
    if (__builtin_add_overflow(first, given.l_len, &behind)) return -EOVERFLOW;
    if (given.l_len < 0) {
        i64 const swap = first;
        first = behind;
        behind = swap;
    }
    if (first < 0) return -EINVAL;
    range.first = static_cast<u64>(first);
    range.last = given.l_len == 0 ? k_end : static_cast<u64>(behind - 1);
    return 0;
}

} // namespace

Result control_lock(FileTable& table, OpenFile& file, u64 command, UserAddr argument) {
    if (file.node == nullptr) return -EBADF;
    struct flock given;
    if (Result const result = get_user(given, argument); result != 0) return result;
    bool const of_file =
        command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    FileLock wanted;
    wanted.owner = of_file ? static_cast<void const*>(&file) : &table;
    wanted.pid = of_file ? ~0u : current().pid;
    wanted.exclusive = given.l_type == F_WRLCK;
    if (of_file && given.l_pid != 0) return -EINVAL;
    if (Result const result = range_of(file, given, wanted); result != 0) return result;

    if (command == F_GETLK || command == F_OFD_GETLK) {
        if (given.l_type != F_RDLCK && given.l_type != F_WRLCK) return -EINVAL;
        FileLock const* const other = conflict(*file.node, wanted);
        given.l_type = F_UNLCK;
        if (other != nullptr) {
            given.l_type = other->exclusive ? F_WRLCK : F_RDLCK;
            given.l_whence = SEEK_SET;
            given.l_start = static_cast<i64>(other->first);
            given.l_len =
                other->last == k_end ? 0 : static_cast<i64>(other->last - other->first + 1);
            given.l_pid = static_cast<int>(other->pid);
        }
        return put_user(argument, given);
    }
    u32 const access = file.flags & O_ACCMODE;
    switch (given.l_type) {
    case F_UNLCK:
        return carve(*file.node, wanted);
    case F_RDLCK:
        if (access == O_WRONLY) return -EBADF;
        break;
    case F_WRLCK:
        if (access == O_RDONLY) return -EBADF;
        break;
    default:
        return -EINVAL;
    }
    return set(file, wanted, command == F_SETLKW || command == F_OFD_SETLKW);
}

Result lock_whole(OpenFile& file, u64 operation) {
    constexpr u64 k_shared = 1, k_exclusive = 2, k_no_waiting = 4, k_unlock = 8; // flock(2)
    if (file.node == nullptr) return 0; // nobody else can have it
    FileLock wanted;
    wanted.owner = &file;
    wanted.last = k_end;
    wanted.whole = true;
    switch (operation & ~k_no_waiting) {
    case k_unlock:
        return carve(*file.node, wanted);
    case k_exclusive:
        wanted.exclusive = true;
        break;
    case k_shared:
        break;
    default:
        return -EINVAL;
    }
    return set(file, wanted, (operation & k_no_waiting) == 0);
}

void drop_locks_of(Node& node, void const* owner) {
    FileLock range;
    range.owner = owner;
    range.last = k_end;
    carve(node, range);
    range.whole = true;
    carve(node, range);
}

} // namespace iso::guest
