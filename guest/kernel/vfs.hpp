#pragma once

#include "guest/kernel/file.hpp"

namespace iso::guest {

/// The type in st_mode (inode(7)).
inline constexpr u32 k_type_mask = 0170000;
inline constexpr u32 k_type_fifo = 0010000;
inline constexpr u32 k_type_device = 0020000;
inline constexpr u32 k_type_directory = 0040000;
inline constexpr u32 k_type_file = 0100000;
inline constexpr u32 k_type_link = 0120000;

struct FileLock;

/// A name in a directory. A fresh one is all zeros.
struct Entry {
    Text name;
    Node* parent = nullptr;
    Node* node = nullptr;
    u64 cookie = 0; // telldir(3)'s number; newer names have larger ones
    Entry* older = nullptr;
    Entry* newer = nullptr;
    Entry* alias = nullptr;  // another name of the same node
    Entry* bucket = nullptr; // next in the table of names
    bool owns_name = false;  // the text was allocated for it
    u32 place = 0;           // on a disk: where its record is
};

/// Where a node lives: what st_dev says, and whether names there can change.
enum class FileSystem : u8 { root, devices, processes, temporary, shared, disk };

/// What a node of /proc or /dev does that others do not.
struct Special {
    /// Of a directory: makes the entry `name` if it should be there, or brings all of them up to
    /// date when the name is empty. Called when there is no such entry, with `changes` always.
    void (*refresh)(Node& directory, Text name) = nullptr;
    bool changes = false;
    /// Of a directory whose names were not read yet: brings them in, once. -EIO, -ENOMEM.
    Result (*load)(Node& directory) = nullptr;
    /// Of a link: where it leads without going by a name; nullptr: nowhere.
    Node* (*follow)(Node const& link) = nullptr;
    /// Of a link: the text it shows, perhaps in the buffer.
    Result (*text)(Node const& link, char* buffer, u64 size, Text& text) = nullptr;
};

/// A file, directory, link, device or named pipe. A fresh one is all zeros.
struct Node {
    u32 mode = 0;  // type and permissions, as st_mode
    u32 links = 1; // names; a directory has one more for each below
    u32 holds = 0; // open files, working directories, mappings
    FileSystem filesystem = FileSystem::root;
    u8 height = 0;  // of a RAM file: of its tree of pages
    u64 number = 0; // st_ino
    u64 size = 0;   // of a file; of a link its target's length
    Gpa data = 0;   // where the bytes lie, or the tree of a RAM file; see diskfs_names.cpp
    u64 pages = 0;  // of a RAM file: how many frames it has; on a disk: blocks
    u64 device = 0; // of a device: st_rdev; of /proc: whose it is
    FileOperations const* operations = nullptr; // of a file or device
    Special const* special = nullptr;
    Entry* entry = nullptr;  // its name, or the latest of several; nullptr: it was removed
    Entry* newest = nullptr; // of a directory: the names in it
    FileLock* locks = nullptr;
    void* object = nullptr; // of a named pipe: the pipe; of /proc: who writes its text
    u32 owner = 0, group = 0;
    u64 accessed = 0, modified = 0, changed = 0; // CLOCK_REALTIME, ns; 0: when the machine started

    static constexpr u64 k_epoch = ~0ull; // stands for the time 0
};

namespace vfs {

/// Where a path leads, and whether there is something.
struct Place {
    Node* directory = nullptr;
    Text name;              // empty, ".", or "..": not a name that could be made or removed
    Node* node = nullptr;   // nullptr: nothing is there yet
    Entry* entry = nullptr; // the name itself, if it is one
    bool slash = false;     // a slash at the end: it has to be a directory
};

/// The program's own file; it exists before the tree does.
Node* program_node();
/// The same before it is filled in: areas only name it.
extern Node program_file;
Node* root();

/// Follows `path` from `directory` (when it is relative). Symbolic links are followed, the last one
/// only with `follow_last`. The last component may be missing. -ENOENT, -ENOTDIR, -ELOOP,
/// -ENAMETOOLONG, -EACCES. The place's texts are valid as long as the path.
Result find(Node* directory, Text path, bool follow_last, Place& place);
/// The same where something has to be.
Result lookup(Node* directory, Text path, bool follow_last, Node*& found);
/// The absolute path of `node`, at the end of the buffer. -ERANGE, or -ENOENT for one that was
/// removed.
Result path_of(Node const* node, char* buffer, u64 size, Text& path);
/// The text that a symbolic link holds, perhaps in the buffer.
Result link_text(Node const* node, char* buffer, u64 size, Text& text);

/// May the program do this with the node? `wanted` as in access(2): 4 read, 2 write, 1 execute.
/// 0, -EACCES, or -EROFS.
Result permits(Node const* node, u32 wanted);

// ---- Names come and go; what is allowed has been checked

/// A new node under `name`, which is copied. nullptr: no memory.
Node* make(Node* directory, Text name, u32 mode);
/// One without a name: it lives as long as somebody holds it.
Node* make_nameless(u32 mode);
/// The same under a name that stays where it is.
Node* make_static(Node* directory, Text name, u32 mode);
/// One more name for `node`; false: no memory.
bool enter(Node* directory, Text name, Node* node);
/// Takes the name away, and with the last one and the last holder the node.
void remove(Entry* entry);
/// Gives the entry another place, where nothing is, or `replaced`, which is removed. -ENOMEM.
Result move(Entry* entry, Node* directory, Text name, Entry* replaced);
/// Brings the names of a directory in that were not read yet. 0, -EIO, -ENOMEM.
Result load(Node* directory);
/// May the directory be removed, or replaced? 0, -ENOTEMPTY, or what load() says.
Result check_empty(Node* directory);
/// The entry of that name, or nullptr.
Entry* child(Node const* directory, Text name);

inline void hold(Node* node) {
    ++node->holds;
}
void unhold(Node* node);
/// Notes that the content (and so the state) or only the state changed now.
void content_changed(Node* node);
void state_changed(Node* node);

inline bool is_directory(Node const* node) {
    return (node->mode & k_type_mask) == k_type_directory;
}
inline bool is_link(Node const* node) {
    return (node->mode & k_type_mask) == k_type_link;
}
inline bool is_file(Node const* node) {
    return (node->mode & k_type_mask) == k_type_file;
}
inline bool is_device(Node const* node) {
    return (node->mode & k_type_mask) == k_type_device;
}
inline bool on_disk(Node const* node) {
    return node->filesystem == FileSystem::disk;
}
inline bool is_fifo(Node const* node) {
    return (node->mode & k_type_mask) == k_type_fifo;
}
/// Can it be changed at all? Or is it what the engine passed in.
inline bool is_writable(Node const* node) {
    return node->filesystem >= FileSystem::temporary;
}
inline Node* parent_of(Node const* directory) {
    return directory->entry->parent;
}

} // namespace vfs

extern FileOperations const module_operations;

} // namespace iso::guest
