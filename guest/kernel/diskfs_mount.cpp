// Taking a disk into use, making a file system on a blank one, and letting go of it.
#include "guest/kernel/block.hpp"
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::diskfs {

namespace {

[[noreturn]] void refuse(Text why) {
    static Line line;
    line << "the disk cannot be used: " << why;
    panic({line.data(), line.size()});
}

[[noreturn]] void no_memory() {
    refuse("there is too little memory for it; give the machine more with --memory");
}

constexpr Text k_unwritten = "the host could not write to its file";

// Frames that stay; zeroed.
Gpa take(u64 bytes) {
    auto const pages = static_cast<u32>(page_up(bytes) >> k_page_bits);
    Gpa const place = frames.take_contiguous(pages);
    if (place == 0) no_memory();
    port::zero(place, pages * k_page);
    return place;
}

void move(bool write, u64 block, Gpa frame, u32 count) {
    BlockRun const where{block, frame, count};
    if (port::move_blocks(write, &where, 1) != 0)
        refuse(write ? k_unwritten : Text("the host could not read its file"));
}

void flush() {
    if (port::flush_disk() != 0) refuse(k_unwritten);
}

bool all_zeros(u64 const* words) {
    for (u64 i = 0; i < k_page / sizeof(u64); i += 8)
        if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] |
             words[i + 6] | words[i + 7]) != 0)
            return false;
    return true;
}

bool has_magic(Superblock const& super) {
    return same_bytes(super.magic, k_magic, sizeof super.magic);
}

bool is_intact(Superblock const& super) {
    return has_magic(super) && super.checksum == checksum_of(reinterpret_cast<u64 const*>(&super));
}

bool sane_layout(Superblock const& super) {
    if (super.blocks < k_least_blocks || super.blocks > k_most_bitmaps * k_blocks_per_bitmap)
        return false;
    Superblock expected{};
    lay_out(expected, super.blocks);
    return super.bitmap_blocks == expected.bitmap_blocks &&
           super.inode_blocks == expected.inode_blocks &&
           super.bitmap_start == expected.bitmap_start &&
           super.inode_start == expected.inode_start && super.data_start == expected.data_start;
}

// Both superblocks, side by side; the newer one that is whole. nullptr: the disk is blank.
// `doubtful`: the other one is damaged, and may have been the newer.
Superblock* choose(Gpa pair, bool& doubtful) {
    auto* const first = linear<Superblock>(pair);
    auto* const second = linear<Superblock>(pair + k_page);
    bool const first_good = is_intact(*first);
    bool const second_good = is_intact(*second);
    if (first_good && second_good) return first->generation > second->generation ? first : second;
    if (first_good || second_good) {
        doubtful = !all_zeros(linear<u64>(first_good ? pair + k_page : pair));
        return first_good ? first : second;
    }
    if (has_magic(*first) || has_magic(*second))
        refuse("both copies of its superblock are damaged; restore it from a copy, or give "
               "another file");
    if (!all_zeros(linear<u64>(pair)) || !all_zeros(linear<u64>(pair + k_page)))
        refuse("it holds something that is not isolab's file system; only a disk that begins with "
               "zeros is formatted");
    return nullptr;
}

u32 count_free() {
    u32 free = 0;
    u32 const words = volume.super->bitmap_blocks * (k_page / sizeof(u64));
    for (u32 i = 0; i < words; ++i) {
        u64 const word = volume.bitmap[i];
        if (word == ~0ull) continue;
        if (word == 0) {
            free += 64;
            continue;
        }
        for (u64 rest = ~word; rest != 0; rest &= rest - 1)
            ++free;
    }
    return free;
}

void set_bits(u64* words, u64 from, u64 to) {
    for (; from < to && from % 64 != 0; ++from)
        words[from / 64] |= 1ull << from % 64;
    for (; from + 64 <= to; from += 64)
        words[from / 64] = ~0ull;
    for (; from < to; ++from)
        words[from / 64] |= 1ull << from % 64;
}

bool has_bits(u64 const* words, u64 from, u64 to) {
    while (from < to) {
        bool const whole = from % 64 == 0 && from + 64 <= to;
        if (whole ? words[from / 64] != ~0ull : (words[from / 64] >> from % 64 & 1) == 0)
            return false;
        from += whole ? 64 : 1;
    }
    return true;
}

// Room for what the superblock speaks of.
void take_tables() {
    u64 const bitmap_bytes = volume.super->bitmap_blocks * k_page;
    volume.bitmap = linear<u64>(take(bitmap_bytes));
    volume.committed = linear<u64>(take(bitmap_bytes));
    volume.inodes = linear<InodeBlock*>(take(volume.super->inode_blocks * sizeof(InodeBlock*)));
}

// Everything but the superblock is on the disk before it is: a disk whose making was interrupted is
// still blank.
void format(u32 blocks) {
    if (blocks < k_least_blocks) refuse("it is too small");
    Superblock& super = *volume.super;
    super = {};
    copy_small(super.magic, k_magic, sizeof super.magic);
    super.version = k_version;
    lay_out(super, blocks);
    super.generation = 2;
    super.clean = 1;
    super.checksum = checksum_of(reinterpret_cast<u64 const*>(&super));
    take_tables();
    set_bits(volume.bitmap, 0, super.data_start);
    set_bits(volume.bitmap, blocks, u64{super.bitmap_blocks} * k_blocks_per_bitmap);
    Gpa const inodes = take(2 * k_page); // the first block of them, and all others
    DiskInode& root = linear<DiskInode>(inodes)[k_root];
    root.mode = k_type_directory | 0755;
    root.links = 2;
    root.owner = boot_info().host_uid;
    root.group = boot_info().host_gid;
    root.accessed = root.modified = root.changed = static_cast<i64>(clock::realtime_ns());
    BlockBatch batch(true);
    for (u32 i = 0; i < super.bitmap_blocks; ++i)
        batch.add(place_of(i, false), gpa_of(volume.bitmap) + u64{i} * k_page);
    for (u32 i = 0; i < super.inode_blocks; ++i) // a file of the host may hold something here
        batch.add(place_of(super.bitmap_blocks + i, false), i == 0 ? inodes : inodes + k_page);
    if (batch.finish() != 0) refuse(k_unwritten);
    frames.release(inodes, 2);
    flush();
    move(true, 0, gpa_of(&super), 1);
    flush();
}

void read_tables() {
    Superblock const& super = *volume.super;
    if (super.version != k_version) refuse("its file system has another version");
    if (!sane_layout(super)) refuse("its superblock makes no sense: it is damaged");
    if (super.blocks > boot_info().disk_sectors / k_block_sectors)
        refuse("its file system is larger than the disk: the end is missing");
    take_tables();
    for (u32 i = 0; i < super.bitmap_blocks; ++i)
        move(false, place_of(i, false), gpa_of(volume.bitmap) + u64{i} * k_page, 1);
    // What is no block for contents must never be given out as one.
    if (!has_bits(volume.bitmap, 0, super.data_start) ||
        !has_bits(volume.bitmap, super.blocks, u64{super.bitmap_blocks} * k_blocks_per_bitmap))
        refuse("its bitmap makes no sense: it is damaged");
}

} // namespace

void lay_out(Superblock& super, u32 blocks) {
    constexpr u32 k_blocks_per_inode_block = 128; // an inode for each 16 KiB
    super.blocks = blocks;
    super.bitmap_blocks = (blocks + k_blocks_per_bitmap - 1) / k_blocks_per_bitmap;
    super.inode_blocks =
        smaller(larger(blocks / k_blocks_per_inode_block, 2u), k_most_inode_blocks);
    super.bitmap_start = 2;
    super.inode_start = super.bitmap_start + 2 * super.bitmap_blocks;
    super.data_start = super.inode_start + 2 * super.inode_blocks;
}

void mount() {
    if (!port::start_disk()) refuse("its device does not answer as it should");
    if (!block_cache::start()) no_memory();
    Gpa const pair = take(2 * k_page);
    move(false, 0, pair, 2);
    bool doubtful = false;
    Superblock const* const found = choose(pair, doubtful);
    volume.super = linear<Superblock>(take(k_page));
    if (found != nullptr) {
        copy_small(volume.super, found, sizeof *found);
        read_tables();
    } else {
        u64 const most = u64{k_most_bitmaps} * k_blocks_per_bitmap;
        format(static_cast<u32>(smaller(boot_info().disk_sectors / k_block_sectors, most)));
    }
    frames.release(pair, 2);
    port::copy(gpa_of(volume.committed), gpa_of(volume.bitmap),
               volume.super->bitmap_blocks * k_page);
    volume.free = volume.usable = count_free();
    volume.block_hint = volume.super->data_start;
    volume.written_at = clock::monotonic_ns();
    if (volume.super->clean == 0 || doubtful)
        if (char const* const wrong = check(); wrong != nullptr) refuse(wrong);
    volume.mounted = true;
}

bool is_mounted() {
    return volume.mounted;
}

void attach(Node& directory) {
    if (directory.newest != nullptr)
        refuse("--add put something at /disk, where its files are; give that another place inside");
    directory.number = k_root;
    InodeBlock* block = nullptr;
    if (inode_block(k_root, block) != 0 || load_node(directory) != 0 ||
        !vfs::is_directory(&directory))
        refuse("its root directory is damaged");
}

void unmount() {
    if (!volume.mounted || volume.failed) {
        if (volume.failed) panic("the host could not write the disk: recent changes are lost");
        return;
    }
    // Files that lost their names while they were open.
    for (u32 i = 0; i < volume.super->inode_blocks; ++i) {
        if (volume.inodes[i] == nullptr) continue;
        for (Node* const node : volume.inodes[i]->nodes)
            if (node != nullptr && node->entry == nullptr) forget(*node);
    }
    if (commit(true) != 0) panic("the host could not write the disk: recent changes are lost");
}

void abandon() {
    block_cache::clear();
    Superblock const& super = *volume.super;
    for (u32 i = 0; i < super.inode_blocks; ++i)
        if (volume.inodes[i] != nullptr) frames.release(volume.inodes[i]->frame, 1);
    u64 const table = page_up(super.inode_blocks * sizeof(InodeBlock*));
    frames.release(gpa_of(volume.inodes), static_cast<u32>(table >> k_page_bits));
    frames.release(gpa_of(volume.bitmap), super.bitmap_blocks);
    frames.release(gpa_of(volume.committed), super.bitmap_blocks);
    frames.release(gpa_of(volume.super), 1);
    volume = {};
}

} // namespace iso::guest::diskfs
