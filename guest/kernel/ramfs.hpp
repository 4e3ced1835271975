#pragma once

#include "guest/kernel/frame.hpp"
#include "guest/kernel/vfs.hpp"

// Files whose content lies in page frames. The frames hang in a tree of tables as high as the file
// is long: a file of one page is that page. What was never written has no frame and reads as zeros;
// behind a file's end its last page holds zeros.

namespace iso::guest::ramfs {

inline constexpr u64 k_largest = 1ull << 48; // four levels of tables

/// False when so little memory is left that files must not take more of it.
bool has_room(u64 pages = 1);

/// The frame of page `index`; 0 when there is none. With `create` one is made, and 0 says that
/// there is no room.
Gpa page(Node& file, u64 index, bool create);
/// How many pages from `index` on, at most `most`, lie in neighbouring frames from `first` on, or
/// are not there at all: then `first` is 0.
u32 run(Node& file, u64 index, u32 most, Gpa& first);
/// Frames to be filled and then put in from page `index` on, where nothing is: as many as `most` at
/// best. Not part of the file yet, and not zeroed.
FrameRun frames_for(Node& file, u64 index, u32 most);
/// Makes them part of the file; their contents are final.
void put_frames(Node& file, u64 index, FrameRun run);
/// Cuts the file off, or lets it grow by a hole. -EFBIG.
Result truncate(Node& file, u64 size);
/// Takes frames for all of [offset, offset + bytes); -ENOSPC when they do not suffice.
Result allocate(Node& file, u64 offset, u64 bytes);
/// The first offset from `from` on that has data (or, with false, none); the size when there is
/// none.
u64 seek(Node& file, u64 from, bool data);

extern FileOperations const file_operations;

} // namespace iso::guest::ramfs

namespace iso::guest {

// What does not care where a file's bytes are: in RAM, on the disk, or in what the engine passed
// in. Frames that are RAM's (frames.is_ram) are the file's: a mapping takes a reference of its own
// to each (frames.share) and drops it when it ends; the others are never freed.

inline bool is_paged(Node const& node) {
    if (node.operations == nullptr) [[likely]] // the program that the engine passed in
        return false;
    return node.operations->paged;
}
/// Where page `index` of the file lies; 0 when it has none and none is made (a hole reads as
/// zeros), or, with `create`, when there is no room; k_no_page when it cannot be had. The page may
/// lie behind the file's end.
Gpa file_page(Node& node, u64 index, bool create);
inline constexpr Gpa k_no_page = 1;
/// A program may from now on write to that page, which is in memory, through a mapping.
void file_exposed(Node& node, u64 index);
/// Cuts a file off that can be written to, or lets it grow by a hole. -EFBIG, -EIO.
Result cut_file(Node& node, u64 size);
/// As ramfs::allocate and ramfs::seek.
Result file_allocate(Node& node, u64 offset, u64 bytes);
u64 file_seek(Node& node, u64 from, bool data);
/// How many pages from `index` on, at most `most`, have neighbouring frames, and where the first of
/// them lies; 0 when page `index` has no frame.
u32 file_run(Node& node, u64 index, u32 most, Gpa& first);

} // namespace iso::guest
