// Inodes: what a node is like, on the disk.
#include "guest/kernel/block.hpp"
#include "guest/kernel/boot.hpp"
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/vfs_text.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::diskfs {

namespace {

constinit Pool<InodeBlock> blocks("disk_inodes");

i64 start_ns() {
    return static_cast<i64>(boot_info().clock_ns) + boot_info().clock_realtime_offset;
}

// What a node's times mean: see vfs.hpp.
i64 to_disk(u64 time) {
    if (time == 0) return start_ns();
    return time == Node::k_epoch ? 0 : static_cast<i64>(time);
}
u64 from_disk(i64 time) {
    return time == 0 ? Node::k_epoch : static_cast<u64>(time);
}

void set_dirty(InodeBlock& block) {
    if (block.dirty) return;
    block.dirty = true;
    block.next_dirty = volume.dirty_inodes;
    volume.dirty_inodes = &block;
}

// The first free one in the block, or as many as it has.
u32 free_in(InodeBlock const& block) {
    u32 const first = block.index == 0 ? k_root + 1 : 0;
    for (u32 i = first; i < k_inodes_per_block; ++i)
        if (linear<DiskInode>(block.frame)[i].mode == 0) return i;
    return k_inodes_per_block;
}

Result find_free(u32& number) {
    u32 const count = volume.super->inode_blocks;
    u32 const start = volume.inode_hint / k_inodes_per_block;
    for (u32 i = 0; i < count; ++i) {
        u32 const index = (start + i) % count;
        InodeBlock* block = nullptr;
        if (Result const result = inode_block(index * k_inodes_per_block, block); result != 0)
            return result;
        u32 const place = free_in(*block);
        if (place == k_inodes_per_block) continue;
        number = index * k_inodes_per_block + place;
        return 0;
    }
    return -ENOSPC;
}

} // namespace

u32 inode_count() {
    return volume.super->inode_blocks * k_inodes_per_block;
}

Result inode_block(u32 number, InodeBlock*& block) {
    u32 const index = number / k_inodes_per_block;
    if (index >= volume.super->inode_blocks) return -EIO; // a name says so: the disk is damaged
    block = volume.inodes[index];
    if (block != nullptr) return 0;
    FrameRun const run = block_cache::take_frames(1);
    if (run.count == 0) return -ENOMEM;
    BlockRun const where{place_of(volume.super->bitmap_blocks + index, false), run.first, 1};
    Result const result = port::move_blocks(false, &where, 1);
    block = result == 0 ? blocks.make_zeroed() : nullptr;
    if (block == nullptr) {
        frames.release(run.first, 1);
        return result != 0 ? result : -ENOMEM;
    }
    block->frame = run.first;
    block->index = index;
    volume.inodes[index] = block;
    return 0;
}

void set_inode_dirty(Node const& node) {
    set_dirty(known_block(static_cast<u32>(node.number)));
    volume.changed = true;
}

Result adopt(Node& node) {
    u32 number = 0;
    if (volume.free <= k_reserve) return -ENOSPC;
    if (Result const result = find_free(number); result != 0) return result;
    node.number = number;
    DiskInode& inode = inode_of(node);
    inode = {};
    inode.mode = node.mode;
    known_block(number).nodes[number % k_inodes_per_block] = &node;
    volume.inode_hint = number + 1;
    set_inode_dirty(node);
    if (vfs::is_file(&node)) node.operations = &file_operations;
    Result const result = add_name(*node.entry);
    if (result == 0) {
        store(node);
    } else {
        forget(node);
        node.operations = nullptr;
    }
    return result;
}

void store(Node& node) {
    if (node.number == 0 || !volume.mounted) return; // it never got so far
    DiskInode& inode = inode_of(node);
    bool const same = inode.mode == node.mode && inode.links == node.links &&
                      inode.owner == node.owner && inode.group == node.group &&
                      inode.size == node.size;
    inode.mode = node.mode;
    inode.links = node.entry != nullptr ? node.links : 0;
    inode.owner = node.owner;
    inode.group = node.group;
    inode.size = node.size;
    inode.accessed = to_disk(node.accessed);
    inode.modified = to_disk(node.modified);
    inode.changed = to_disk(node.changed);
    set_dirty(known_block(static_cast<u32>(node.number)));
    (same ? volume.times_changed : volume.changed) = true;
}

Result store_target(Node& link) {
    DiskInode& inode = inode_of(link);
    inode.size = link.size;
    if (link.size <= sizeof inode.pointer) {
        copy_small(inode.pointer, linear(link.data), link.size);
        set_inode_dirty(link);
        return 0;
    }
    u32 block = 0;
    if (Result const result = map_block(link, 0, Map::make, block); result != 0) return result;
    Buffer* buffer = nullptr;
    if (Result const result = block_cache::make(block, buffer); result != 0) return result;
    copy_small(linear(buffer->frame), linear(link.data), link.size);
    return 0;
}

namespace {

Result load_target(Node& link, DiskInode const& inode) {
    if (inode.size == 0 || inode.size > k_page) return -EIO;
    char const* from = reinterpret_cast<char const*>(inode.pointer);
    if (inode.size > sizeof inode.pointer) {
        u32 block = 0;
        if (Result const result = map_block(link, 0, Map::look, block); result != 0) return result;
        Buffer* buffer = nullptr;
        if (block == 0) return -EIO;
        if (Result const result = block_cache::get(block, buffer); result != 0) return result;
        from = linear<char>(buffer->frame);
    }
    Text const kept = vfs::keep_text({from, inode.size});
    if (kept.data == nullptr) return -ENOMEM;
    link.data = gpa_of(kept.data);
    return 0;
}

} // namespace

Result load_node(Node& node) {
    DiskInode const& inode = inode_of(node);
    u32 const type = inode.mode & k_type_mask;
    if (type != k_type_file && type != k_type_directory && type != k_type_link &&
        type != k_type_fifo)
        return -EIO;
    if (inode.links == 0 || inode.height > k_most_height || inode.size > k_largest_file)
        return -EIO;
    node.filesystem = FileSystem::disk;
    node.mode = inode.mode;
    node.links = inode.links;
    node.owner = inode.owner;
    node.group = inode.group;
    node.size = inode.size;
    node.pages = inode.blocks;
    node.accessed = from_disk(inode.accessed);
    node.modified = from_disk(inode.modified);
    node.changed = from_disk(inode.changed);
    if (type == k_type_file) node.operations = &file_operations;
    if (type == k_type_directory) node.special = &unread_directory;
    auto const number = static_cast<u32>(node.number);
    known_block(number).nodes[number % k_inodes_per_block] = &node;
    return type == k_type_link ? load_target(node, inode) : 0;
}

void forget(Node& node) {
    if (node.number == 0 || !volume.mounted) return;
    auto const number = static_cast<u32>(node.number);
    InodeBlock& block = known_block(number);
    block.nodes[number % k_inodes_per_block] = nullptr;
    DiskInode& inode = inode_in(block, number);
    bool const has_blocks =
        vfs::is_link(&node) ? inode.size > sizeof inode.pointer : !vfs::is_fifo(&node);
    if (!volume.failed) {
        // A table that cannot be read keeps what it names: the disk is at its end anyway.
        if (has_blocks) (void)cut_blocks(node, 0);
        inode = {};
        set_dirty(block);
        volume.changed = true;
        if (number < volume.inode_hint) volume.inode_hint = number;
    }
    node.number = 0;
    node.pages = 0;
}

Usage usage() {
    // Inodes are counted as free until their block was looked at.
    u64 used = 0;
    for (u32 i = 0; i < volume.super->inode_blocks; ++i) {
        if (volume.inodes[i] == nullptr) continue;
        for (u32 j = 0; j < k_inodes_per_block; ++j)
            if (linear<DiskInode>(volume.inodes[i]->frame)[j].mode != 0) ++used;
    }
    return {data_blocks(), volume.free, smaller(volume.free, k_reserve), inode_count(),
            inode_count() - used};
}

} // namespace iso::guest::diskfs
