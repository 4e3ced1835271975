#pragma once

#include "guest/kernel/vfs.hpp"

// What system calls on names have in common.

namespace iso::guest::paths {

inline constexpr u64 k_path_max = 4096; // with the zero at the end

/// Two buffers of that size: the kernel serves one call at a time, and none takes more than two
/// paths. What is in them is valid until the call sleeps.
extern char buffers[2][k_path_max];

Node* working_directory();
/// Copies the program's path into buffer `which`.
Result text_at(UserAddr path, Text& text, u32 which = 0);
/// Where a path of an *at call leads; the last component may be missing.
Result find_place(u64 directory, UserAddr path, bool follow, vfs::Place& place, u32 which = 0);
/// The same where something has to be.
Result find(u64 directory, UserAddr path, bool follow, Node*& found);
/// The same with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW in `flags`; a node of nullptr is an open
/// file without one.
Result find_or_open(u64 directory, UserAddr path, u64 flags, Node*& found);
/// Can names be made and removed in this directory? 0, -EROFS, -EACCES, -ENOENT.
Result may_change(Node const* directory);
/// A new file, directory or pipe at a place where nothing is; the umask has been applied.
Result make(vfs::Place const& place, u32 mode, Node*& made);

} // namespace iso::guest::paths
