#pragma once

#include "guest/kernel/types.hpp"

// What lies on a disk; docs/disk.md tells why. All numbers little-endian, blocks of a page each:
//
//   0, 1          the superblock: generation g is in block g % 2
//   bitmap_start  which blocks are in use: two copies of each block of bits, side by side
//   inode_start   the table of inodes: the same
//   data_start    contents of files and directories, tables of their blocks
//
// A bit in the superblock says which copy of a pair counts. The other one is written to, so that a
// superblock, written last, makes everything new true at once.

namespace iso::guest::diskfs {

inline constexpr u32 k_version = 1;
inline constexpr char k_magic[17] = "isolab disk fs\n\x1a";
inline constexpr u32 k_blocks_per_bitmap = k_page * 8;
inline constexpr u32 k_most_bitmaps = 512; // 64 GiB
inline constexpr u32 k_most_inode_blocks = 2048;
inline constexpr u32 k_least_blocks = 64;
inline constexpr u32 k_root = 1; // its inode; 0 stands for none

struct Superblock {
    char magic[16];
    u64 checksum; // of these 512 bytes, with zeros here
    u64 generation;
    u32 version;
    u32 clean; // nothing was changed since it was written, and no file without a name is left
    u32 blocks;
    u32 bitmap_blocks;
    u32 inode_blocks;
    u32 bitmap_start;
    u32 inode_start;
    u32 data_start;
    u8 reserved[64];
    u64 current[(k_most_bitmaps + k_most_inode_blocks) / 64]; // bitmaps first
    u64 unused[8];
};
static_assert(sizeof(Superblock) == 512); // a sector: that much is written or not

inline constexpr u32 k_pointers = 16;
inline constexpr u32 k_table_bits = 10; // a table holds the numbers of so many blocks
inline constexpr u32 k_table_blocks = 1u << k_table_bits;
inline constexpr u32 k_most_height = 3;
inline constexpr u64 k_largest_file = u64{k_pointers} << (k_most_height * k_table_bits + 12);

struct DiskInode {
    u32 mode; // as st_mode; 0: free
    u32 links;
    u32 owner, group;
    u64 size;
    i64 accessed, modified, changed; // ns since 1970
    u32 blocks;                      // in use, tables included
    u32 height;                      // tables between `pointer` and the contents
    u32 pointer[k_pointers]; // each stands for k_table_blocks ^ height blocks; 0: a hole. Of a
                             // short link: its text
    u64 reserved;
};
static_assert(sizeof(DiskInode) == 128);
inline constexpr u32 k_inodes_per_block = k_page / sizeof(DiskInode);

/// A name in a directory, whose blocks each are a chain of records that fills them.
struct Record {
    u32 inode; // 0: room for another one
    u16 bytes; // to the next record; a multiple of 8
    u8 name_bytes;
    u8 type; // st_mode >> 12

    /// The name stands right behind it.
    char* name() { return reinterpret_cast<char*>(this + 1); }
    char const* name() const { return reinterpret_cast<char const*>(this + 1); }
};
static_assert(sizeof(Record) == 8);

constexpr u64 checksum_of(u64 const* words) {
    u64 sum = 0xcbf29ce484222325;
    for (u64 i = 0; i < sizeof(Superblock) / 8; ++i) {
        u64 const word = i == 2 ? 0 : words[i]; // the sum itself
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 29;
    }
    return sum;
}

} // namespace iso::guest::diskfs
