#pragma once

#include "guest/kernel/file.hpp"

namespace iso::guest {

/// An advisory lock on a range of a file (fcntl(2)), or on all of it (flock(2)).
struct FileLock {
    FileLock* next = nullptr;
    void const* owner = nullptr; // a table of descriptors, or an open file
    u64 first = 0;
    u64 last = 0; // inclusive
    u32 pid = 0;
    bool exclusive = false;
    bool whole = false; // flock(2)'s: the two kinds do not see each other
};

/// F_SETLK and the like on `file` of `table`, with the struct flock at `argument`.
Result control_lock(FileTable& table, OpenFile& file, u64 command, UserAddr argument);
/// flock(2).
Result lock_whole(OpenFile& file, u64 operation);
/// The locks of this owner end: it closed the file.
void drop_locks_of(Node& node, void const* owner);

} // namespace iso::guest
