#pragma once

#include "guest/kernel/vfs.hpp"

// The file system of the disk, at /disk. Names, attributes and contents are changed in memory and
// written in one go: by fsync(2) and sync(2), when much has gathered, every now and then, and when
// the machine ends. What a crash loses is what came after the last time; the disk then holds what
// was there before, complete. See diskfs_format.hpp and docs/disk.md.

namespace iso::guest::diskfs {

/// Takes the disk into use when the engine gave one. A blank one is formatted; the machine ends
/// with a message when the disk holds something else.
void mount();
/// There is one, and it is in use.
bool is_mounted();
/// Makes `directory` the root of what is on the disk.
void attach(Node& directory);
/// Everything is written, and the disk says so. Nothing may be changed afterwards.
void unmount();

// ---- Nodes: those whose `filesystem` is `disk`, and whose `number` is that of their inode

/// Gives a new node an inode, and its name a place on the disk. -ENOSPC, -EIO, -ENOMEM.
Result adopt(Node& node);
/// Writes down what the node is like, in memory.
void store(Node& node);
/// Writes down where a symbolic link leads.
Result store_target(Node& link);
/// The last name and the last holder are gone.
void forget(Node& node);

/// Before a change of names: -EIO when there must not be one. May write everything, so that the
/// change finds room.
Result begin();

// ---- Names: called before the tree in memory changes, but for add_name()

Result add_name(Entry& entry);
Result remove_name(Entry& entry);
/// `entry` gets another place, or that of `replaced`.
Result move_name(Entry& entry, Node& directory, Text name, Entry* replaced);

// ---- Contents

extern FileOperations const file_operations;

/// As ramfs has them.
Gpa page(Node& file, u64 index, bool create);
/// The page could not be read: what page() says then.
inline constexpr Gpa k_unreadable = 1;
/// A program may from now on write to a page that is in memory, without further notice.
void expose(Node& file, u64 index);
Result truncate(Node& file, u64 size);
Result allocate(Node& file, u64 offset, u64 bytes);
u64 seek(Node& file, u64 from, bool data);

/// Everything is on the disk when this returns 0; with `data_only` all that is needed to read what
/// files hold.
Result sync(bool data_only = false);

struct Usage {
    u64 blocks, free, reserved, inodes, free_inodes; // `reserved` of those that are free
};
Usage usage();

/// Forgets everything in memory, as if the machine had ended there. For tests.
void abandon();

} // namespace iso::guest::diskfs
