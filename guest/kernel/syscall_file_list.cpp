// Listing directories (getdents(2)).
#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

namespace iso::guest {

namespace {

// struct linux_dirent64
struct Record {
    u64 number;
    i64 next;
    u16 bytes;
    u8 type;
    char name[256 + 8];
};
constexpr u64 k_name_at = 19;

// Puts one record; how many bytes it has, 0 when there is no room, or -EFAULT.
Result put(UserAddr to, u64 room, Node const& node, Text name, u64 next) {
    static Record record;
    record.number = node.number;
    record.next = static_cast<i64>(next);
    record.bytes = static_cast<u16>((k_name_at + name.size + 1 + 7) & ~7ull);
    record.type = static_cast<u8>(node.mode >> 12);
    if (record.bytes > room) return 0;
    copy_small(record.name, name.data, name.size);
    record.name[name.size] = 0;
    Result const result = copy_out(to, &record, record.bytes);
    return result != 0 ? result : record.bytes;
}

// The first name behind the place `offset`.
Entry* entry_behind(Node const& directory, u64 offset) {
    Entry* entry = directory.newest;
    while (entry != nullptr && offset > 2 && entry->cookie >= offset)
        entry = entry->older;
    return entry;
}

} // namespace

// The offset says what was listed last: 0 nothing, 1 ".", 2 "..", then the cookie of a name. Names
// are listed from the newest to the oldest, so cookies fall; those that are removed in the meantime
// change nothing for the others.
Result sys_getdents64(u64 fd, u64 to, u64 bytes) {
    OpenFile* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || !vfs::is_directory(file->node)) return -ENOTDIR;
    if (file->operations->read != nullptr) return -EBADF; // O_PATH
    Node& directory = *file->node;
    if (directory.entry == nullptr) return -ENOENT;
    if (Result const result = vfs::load(&directory); result != 0) return result;
    if (file->offset == 0 && directory.special != nullptr && directory.special->refresh != nullptr)
        directory.special->refresh(directory, {});

    u64 done = 0;
    Entry const* entry = nullptr;
    for (;;) {
        Result result = 0;
        u64 next = file->offset + 1;
        if (file->offset == 0) {
            result = put(to, bytes, directory, ".", next);
        } else if (file->offset == 1) {
            result = put(to + done, bytes - done, *vfs::parent_of(&directory), "..", next);
        } else {
            entry = entry == nullptr ? entry_behind(directory, file->offset) : entry->older;
            if (entry == nullptr) break;
            next = entry->cookie;
            result = put(to + done, bytes - done, *entry->node, entry->name, next);
        }
        if (result == 0 && done == 0) return -EINVAL; // not even one fits
        if (result < 0 && done == 0) return result;
        if (result <= 0) break;
        done += static_cast<u64>(result);
        file->offset = next;
    }
    return static_cast<Result>(done);
}

} // namespace iso::guest
