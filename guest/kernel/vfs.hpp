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

/// A file, directory, link or device, under its one name.
struct Node {
    Text name;
    u32 mode = 0;                               // type and permissions, as st_mode
    u64 number = 0;                             // st_ino
    u64 size = 0;                               // of a file; of a link its target's length
    Gpa data = 0;                               // of a file or link: where its bytes lie
    u64 device = 0;                             // of a device: st_rdev
    FileOperations const* operations = nullptr; // of a file or device
    Node* parent = nullptr;
    Node* children = nullptr; // of a directory: the newest
    Node* sibling = nullptr;
    Node* bucket = nullptr; // next in the table of names
};

namespace vfs {

/// The program's own file; it exists before the tree does.
Node* program_node();
/// The same before it is filled in: areas only name it.
extern Node program_file;
Node* root();

/// Follows `path` from `directory` (when it is relative). Symbolic links are followed, the last one
/// only with `follow_last`. -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG.
Result lookup(Node* directory, Text path, bool follow_last, Node*& found);
/// Writes the absolute path of `node`; its length, or -ERANGE. Not zero-terminated.
Result path_of(Node const* node, char* to, u64 size);
/// The text that a symbolic link holds.
Text link_target(Node const* node);

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

} // namespace vfs

/// The devices of /dev that are made of nothing; by index into k_devices in fs_device.cpp.
struct Device {
    Text name;
    u32 mode;
    u64 number;
    FileOperations const* operations;
};
extern Device const devices[];
extern u32 const device_count;

extern FileOperations const module_operations;

} // namespace iso::guest
