#pragma once

#include "guest/kernel/block_cache.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/diskfs_format.hpp"

// What the parts of the disk's file system share.

namespace iso::guest::diskfs {

/// A block of the table of inodes. Stays in memory once it was read.
struct InodeBlock {
    Gpa frame;
    u32 index;
    bool dirty;
    InodeBlock* next_dirty;
    Node* nodes[k_inodes_per_block]; // those that are known in memory
};

struct Volume {
    bool mounted = false;
    bool failed = false;         // the disk did not take something: nothing is changed any more
    bool changed = false;        // something that counts is not on the disk
    bool times_changed = false;  // nothing but times
    bool read_all = false;       // room for all inodes was looked at, and none was free
    bool cut_mapped = false;     // a block was given up that programs had mapped
    Superblock* super = nullptr; // as it was written last, in a frame of its own
    u64* bitmap = nullptr;       // as it is now
    u64* committed = nullptr;    // as the superblock on the disk has it
    u64 dirty_bitmaps[k_most_bitmaps / 64] = {};
    InodeBlock** inodes = nullptr; // by block
    InodeBlock* dirty_inodes = nullptr;
    u32 free = 0;   // blocks
    u32 usable = 0; // of them: those that were free already when the superblock was written
    u32 block_hint = 0;
    u32 inode_hint = k_root + 1;
    u64 written_at = 0; // CLOCK_MONOTONIC
};
extern Volume volume;

// ---- diskfs_commit.cpp

/// Blocks that contents never get: names can be removed also when the disk is full.
inline constexpr u32 k_reserve = 32;

/// A free block that was free before, too, so that what is on the disk stays true; 0: there is
/// none.
u32 allocate_block(bool structure);
/// The same for contents, `want` neighbours at best, from `first` on; how many.
u32 allocate_run(u32 want, u32& first);
/// Its content is forgotten.
void free_block(u32 block);
/// May the block's content change where it is? Not if the disk's superblock knows it.
bool is_new(u32 block);
bool is_used(u32 block);
Result commit(bool clean);

inline u32 data_blocks() {
    return volume.super->blocks - volume.super->data_start;
}
inline bool is_data_block(u32 block) {
    return block >= volume.super->data_start && block < volume.super->blocks;
}
/// Where a pair's copy lies; `other`: the one that does not count.
u32 place_of(u32 pair, bool other);

// ---- diskfs_inode.cpp

/// -EIO, -ENOMEM.
Result inode_block(u32 number, InodeBlock*& block);
inline DiskInode& inode_in(InodeBlock const& block, u32 number) {
    return linear<DiskInode>(block.frame)[number % k_inodes_per_block];
}
inline InodeBlock& known_block(u32 number) {
    return *volume.inodes[number / k_inodes_per_block];
}
/// The inode of a node that is known: its block is in memory.
inline DiskInode& inode_of(Node const& node) {
    auto const number = static_cast<u32>(node.number);
    return inode_in(known_block(number), number);
}
void set_inode_dirty(Node const& node);
u32 inode_count();
/// Fills in a node that has a number.
Result load_node(Node& node);

// ---- diskfs_map.cpp

enum class Map : u8 {
    look, // 0 for a hole
    make, // a hole becomes a block; `made` says that it did, and that its content is the caller's
    own,  // the same, and a block that the superblock knows is replaced, its content kept
};

/// Which block holds page `index` of the file. -EIO, -ENOSPC, -EFBIG, -ENOMEM.
Result map_block(Node& node, u64 index, Map how, u32& block, bool* made = nullptr);
/// The blocks of the pages from `index` on, as many as are there side by side, at most `most`; the
/// first one is a hole if `count` is 0.
Result map_run(Node& node, u64 index, u32 most, u32* blocks, u32& count);
/// Gives pages from `index` on, where a hole is, neighbouring blocks from `first` on, whose content
/// is the caller's: `count` of them, at least one if it returns 0 and `most` at best.
Result map_hole(Node& node, u64 index, u32 most, u32& first, u32& count);
/// How many pages from `index` on are a hole for sure, at least 1; `index` is one.
u64 hole_length(Node& node, u64 index);
/// Gives up all blocks from page `from` on.
Result cut_blocks(Node& node, u64 from);

// ---- diskfs_names.cpp

extern Special const unread_directory;

// ---- diskfs_check.cpp

/// Whether inodes and bitmap agree; gives up files that have no name any more. nullptr: all is
/// well.
char const* check();

// ---- diskfs_mount.cpp

/// Fills in where what lies on a disk of so many blocks.
void lay_out(Superblock& super, u32 blocks);

} // namespace iso::guest::diskfs
