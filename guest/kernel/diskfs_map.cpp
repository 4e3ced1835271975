// Which blocks a file has: 16 numbers in its inode, each of a block, or of a table of 1024 numbers,
// and so on: as many levels as the file's length needs.
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/memory.hpp"

namespace iso::guest::diskfs {

namespace {

// How many pages one number stands for under `height` tables.
constexpr u64 span_of(u32 height) {
    return 1ull << height * k_table_bits;
}

u32* table_of(Buffer const& buffer) {
    return linear<u32>(buffer.frame);
}

Result get_table(u32 block, Buffer*& buffer) {
    return is_data_block(block) ? block_cache::get(block, buffer) : -EIO;
}

// Follows the numbers to page `index`; `height` becomes that of the number which is 0, or 0.
Result look(DiskInode const& inode, u64 index, u32& block, u32& height) {
    height = inode.height;
    block = 0;
    if (index >= k_pointers * span_of(height)) return 0;
    block = inode.pointer[index >> height * k_table_bits];
    while (height != 0 && block != 0) {
        Buffer* buffer = nullptr;
        if (Result const result = get_table(block, buffer); result != 0) return result;
        --height;
        block = table_of(*buffer)[(index >> height * k_table_bits) % k_table_blocks];
    }
    return block == 0 || is_data_block(block) ? 0 : -EIO;
}

void count_blocks(Node& node, int change) {
    DiskInode& inode = inode_of(node);
    inode.blocks += static_cast<u32>(change);
    node.pages = inode.blocks;
}

Result make_table(Node& node, u32& block, Buffer*& buffer) {
    block = allocate_block(true);
    if (block == 0) return -ENOSPC;
    if (Result const result = block_cache::make(block, buffer); result != 0) {
        free_block(block);
        block = 0;
        return result;
    }
    count_blocks(node, 1);
    return 0;
}

// One more level of tables above all that there is.
Result raise(Node& node) {
    DiskInode& inode = inode_of(node);
    bool empty = true;
    for (u32 const block : inode.pointer)
        empty = empty && block == 0;
    if (!empty) {
        u32 block = 0;
        Buffer* buffer = nullptr;
        if (Result const result = make_table(node, block, buffer); result != 0) return result;
        copy_small(table_of(*buffer), inode.pointer, sizeof inode.pointer);
        zero_small(inode.pointer, sizeof inode.pointer);
        inode.pointer[0] = block;
    }
    ++inode.height;
    set_inode_dirty(node);
    return 0;
}

// Gives the block at `slot`, which the superblock knows, another place, so that it can be changed.
Result replace(u32& slot, Buffer& buffer) {
    if (is_new(slot)) return 0;
    u32 const block = allocate_block(true);
    if (block == 0) return -ENOSPC;
    u32 const old = slot;
    block_cache::rename(buffer, block);
    slot = block;
    free_block(old);
    block_cache::set_dirty(buffer);
    return 0;
}

// Makes all of the way to page `index` one that can be changed; `slot` is where its number is.
Result open_way(Node& node, u64 index, u32*& slot, Pin& pin) {
    DiskInode& inode = inode_of(node);
    set_inode_dirty(node);
    slot = &inode.pointer[index >> inode.height * k_table_bits];
    for (u32 height = inode.height; height != 0;) {
        Buffer* buffer = nullptr;
        Result const result =
            *slot == 0 ? make_table(node, *slot, buffer) : get_table(*slot, buffer);
        if (result != 0) return result;
        if (Result const moved = replace(*slot, *buffer); moved != 0) return moved;
        block_cache::set_dirty(*buffer);
        pin.set(buffer);
        --height;
        slot = &table_of(*buffer)[(index >> height * k_table_bits) % k_table_blocks];
    }
    return 0;
}

} // namespace

Result map_block(Node& node, u64 index, Map how, u32& block, bool* made) {
    if (made != nullptr) *made = false;
    if (index >= k_pointers * span_of(k_most_height)) return -EFBIG;
    u32 height = 0;
    if (Result const result = look(inode_of(node), index, block, height); result != 0)
        return result;
    if (how == Map::look || (block != 0 && (how == Map::make || is_new(block)))) return 0;

    while (index >= k_pointers * span_of(inode_of(node).height))
        if (Result const result = raise(node); result != 0) return result;
    u32* slot = nullptr;
    Pin pin(nullptr);
    if (Result const result = open_way(node, index, slot, pin); result != 0) return result;
    if (*slot != 0) { // a directory's block
        Buffer* buffer = nullptr;
        if (Result const result = block_cache::get(*slot, buffer); result != 0) return result;
        Result const result = replace(*slot, *buffer);
        block = *slot;
        return result;
    }
    block = allocate_block(how == Map::own);
    if (block == 0) return -ENOSPC;
    *slot = block;
    count_blocks(node, 1);
    if (made != nullptr) *made = true;
    return 0;
}

Result map_run(Node& node, u64 index, u32 most, u32* blocks, u32& count) {
    DiskInode const& inode = inode_of(node);
    u32 height = inode.height;
    count = 0;
    if (index >= k_pointers * span_of(height)) return 0;
    u32 const* slots = inode.pointer;
    u32 at = static_cast<u32>(index >> height * k_table_bits);
    u32 size = k_pointers;
    while (height != 0) {
        Buffer* buffer = nullptr;
        if (slots[at] == 0) return 0;
        if (Result const result = get_table(slots[at], buffer); result != 0) return result;
        --height;
        slots = table_of(*buffer);
        at = static_cast<u32>(index >> height * k_table_bits) % k_table_blocks;
        size = k_table_blocks;
    }
    most = smaller(most, size - at);
    for (; count < most && slots[at + count] != 0; ++count) {
        if (!is_data_block(slots[at + count])) return count != 0 ? 0 : -EIO;
        blocks[count] = slots[at + count];
    }
    return 0;
}

Result map_hole(Node& node, u64 index, u32 most, u32& first, u32& count) {
    count = 0;
    if (index >= k_pointers * span_of(k_most_height)) return -EFBIG;
    while (index >= k_pointers * span_of(inode_of(node).height))
        if (Result const result = raise(node); result != 0) return result;
    u32* slot = nullptr;
    Pin pin(nullptr);
    if (Result const result = open_way(node, index, slot, pin); result != 0) return result;
    u32 const slots = inode_of(node).height != 0 ? k_table_blocks : k_pointers;
    most = smaller(most, slots - static_cast<u32>(index % slots));
    u32 empty = 0;
    while (empty < most && slot[empty] == 0)
        ++empty;
    count = empty != 0 ? allocate_run(empty, first) : 0;
    if (count == 0) return -ENOSPC;
    for (u32 i = 0; i < count; ++i)
        slot[i] = first + i;
    count_blocks(node, static_cast<int>(count));
    return 0;
}

u64 hole_length(Node& node, u64 index) {
    DiskInode const& inode = inode_of(node);
    if (index >= k_pointers * span_of(inode.height)) return ~0ull >> 16;
    u32 block = 0;
    u32 height = 0;
    if (look(inode, index, block, height) != 0 || block != 0) return 1;
    return span_of(height) - (index & (span_of(height) - 1));
}

namespace {

// Gives up what lies from page `from` on below the number at `slot`, which begins with page 0 of
// its own; all of it when `from` is 0.
Result cut(Node& node, u32& slot, u32 height, u64 from) {
    if (slot == 0) return 0;
    if (!is_data_block(slot)) return -EIO;
    if (height != 0) {
        Buffer* buffer = nullptr;
        if (Result const result = get_table(slot, buffer); result != 0) return result;
        if (from != 0) {
            if (Result const result = replace(slot, *buffer); result != 0) return result;
            block_cache::set_dirty(*buffer);
        }
        // A table that goes is left as it is: it may be the one that the superblock knows.
        Pin const pin(buffer);
        u64 const below = span_of(height - 1);
        for (u64 i = from / below; i < k_table_blocks; ++i) {
            u32& number = table_of(*buffer)[i];
            u32 gone = number;
            u64 const start = from > i * below ? from - i * below : 0;
            Result const result = cut(node, from != 0 ? number : gone, height - 1, start);
            if (result != 0) return result;
        }
    }
    if (from != 0) return 0;
    if (block_cache::is_pinned(slot)) return -EIO; // a table lists itself: the disk is damaged
    free_block(slot);
    slot = 0;
    count_blocks(node, -1);
    return 0;
}

} // namespace

Result cut_blocks(Node& node, u64 from) {
    DiskInode& inode = inode_of(node);
    u64 const below = span_of(inode.height);
    set_inode_dirty(node);
    for (u64 i = from / below; i < k_pointers; ++i) {
        u64 const start = from > i * below ? from - i * below : 0;
        if (Result const result = cut(node, inode.pointer[i], inode.height, start); result != 0)
            return result;
    }
    if (from == 0) inode.height = 0;
    return 0;
}

} // namespace iso::guest::diskfs
