// Which blocks are in use, and how what changed gets to the disk.
#include "guest/kernel/block.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::diskfs {

Volume volume;

namespace {

constexpr u64 k_word_bits = 64;
constexpr u64 k_longest_wait_ns = 30'000'000'000; // that a change stays in memory only

bool bit(u64 const* words, u32 i) {
    return (words[i / k_word_bits] >> i % k_word_bits & 1) != 0;
}
void flip(u64* words, u32 i) {
    words[i / k_word_bits] ^= 1ull << i % k_word_bits;
}

u32 lowest_bit(u64 word) {
    u64 index;
    asm("bsfq %1, %0" : "=r"(index) : "r"(word) : "cc"); // as an intrinsic it may become tzcnt
    return static_cast<u32>(index);
}

void set_bitmap_dirty(u32 block) {
    u32 const index = block / k_blocks_per_bitmap;
    volume.dirty_bitmaps[index / k_word_bits] |= 1ull << index % k_word_bits;
    volume.changed = true;
}

// Calls visit(index) for each block of the bitmap that changed.
template <typename Visit>
void for_dirty_bitmaps(Visit visit) {
    for (u32 i = 0; i < volume.super->bitmap_blocks; ++i)
        if (bit(volume.dirty_bitmaps, i)) visit(i);
}

Result write_contents() {
    BlockBatch batch(true);
    for (Buffer* buffer = block_cache::first_dirty(); buffer != nullptr;
         buffer = buffer->next_dirty)
        batch.add(buffer->block, buffer->frame);
    return batch.finish();
}

void contents_are_written() {
    for (Buffer* buffer = block_cache::first_dirty(); buffer != nullptr;) {
        Buffer* const next = buffer->next_dirty;
        block_cache::set_clean(*buffer);
        buffer = next;
    }
}

// Bitmaps and inodes, each to the copy that does not count yet.
Result write_pairs() {
    BlockBatch batch(true);
    for_dirty_bitmaps(
        [&](u32 i) { batch.add(place_of(i, true), gpa_of(volume.bitmap) + u64{i} * k_page); });
    for (InodeBlock const* block = volume.dirty_inodes; block != nullptr; block = block->next_dirty)
        batch.add(place_of(volume.super->bitmap_blocks + block->index, true), block->frame);
    return batch.finish();
}

Result write_superblock(bool clean) {
    Superblock& super = *volume.super;
    ++super.generation;
    super.clean = clean ? 1 : 0;
    super.checksum = checksum_of(reinterpret_cast<u64 const*>(&super));
    BlockRun const where{super.generation % 2, gpa_of(&super), 1};
    Result const result = port::move_blocks(true, &where, 1);
    return result != 0 ? result : port::flush_disk();
}

// From here on the new copies count.
void turn_pairs() {
    for_dirty_bitmaps([](u32 i) {
        flip(volume.super->current, i);
        port::copy(gpa_of(volume.committed) + u64{i} * k_page,
                   gpa_of(volume.bitmap) + u64{i} * k_page, k_page);
    });
    for (u64& word : volume.dirty_bitmaps)
        word = 0;
    while (volume.dirty_inodes != nullptr) {
        InodeBlock& block = *volume.dirty_inodes;
        flip(volume.super->current, volume.super->bitmap_blocks + block.index);
        volume.dirty_inodes = block.next_dirty;
        block.dirty = false;
    }
}

Result fail(Result result) {
    if (result != 0) volume.failed = true;
    return result;
}

} // namespace

u32 place_of(u32 pair, bool other) {
    Superblock const& super = *volume.super;
    u32 const start = pair < super.bitmap_blocks
                          ? super.bitmap_start + 2 * pair
                          : super.inode_start + 2 * (pair - super.bitmap_blocks);
    return start + (bit(super.current, pair) != other ? 1 : 0);
}

bool is_new(u32 block) {
    return !bit(volume.committed, block);
}

bool is_used(u32 block) {
    return bit(volume.bitmap, block);
}

u32 allocate_block(bool structure) {
    if (volume.usable == 0 || (!structure && volume.free <= k_reserve)) return 0;
    auto const words = static_cast<u32>(volume.super->bitmap_blocks * (k_page / sizeof(u64)));
    u32 at = static_cast<u32>(volume.block_hint / k_word_bits);
    u64 taken =
        (1ull << volume.block_hint % k_word_bits) - 1; // in the first word: from the hint on
    for (u32 i = 0; i <= words; ++i) {
        u64 const used = volume.bitmap[at] | volume.committed[at] | taken;
        if (~used != 0) {
            u32 const block = at * 64 + lowest_bit(~used);
            flip(volume.bitmap, block);
            set_bitmap_dirty(block);
            volume.block_hint = block + 1 < volume.super->blocks ? block + 1 : 0;
            --volume.free;
            --volume.usable;
            return block;
        }
        taken = 0;
        if (++at == words) at = 0;
    }
    return 0;
}

u32 allocate_run(u32 want, u32& first) {
    first = allocate_block(false);
    if (first == 0) return 0;
    u32 count = 1;
    for (u32 next = first + 1; count < want && next < volume.super->blocks; ++count, ++next) {
        u64 const mask = 1ull << next % k_word_bits;
        u64& word = volume.bitmap[next / k_word_bits];
        if (((word | volume.committed[next / k_word_bits]) & mask) != 0) break;
        if (volume.usable == 0 || volume.free <= k_reserve) break;
        word |= mask;
        --volume.free;
        --volume.usable;
        if (next % k_blocks_per_bitmap == 0) set_bitmap_dirty(next);
    }
    volume.block_hint = first + count < volume.super->blocks ? first + count : 0;
    return count;
}

void free_block(u32 block) {
    if (block_cache::drop(block)) volume.cut_mapped = true;
    if (!is_used(block)) return; // the disk is damaged: twice is once
    flip(volume.bitmap, block);
    set_bitmap_dirty(block);
    ++volume.free;
    if (is_new(block)) ++volume.usable;
}

Result begin() {
    constexpr u32 k_enough = 128;
    if (volume.failed) return -EIO;
    bool const full = volume.usable < k_enough && volume.usable < volume.free;
    bool const many = block_cache::dirty_count() > block_cache::limit() / 2;
    bool const old = clock::monotonic_ns() - volume.written_at > k_longest_wait_ns;
    return full || many || old ? commit(false) : 0;
}

Result commit(bool clean) {
    if (volume.failed) return -EIO;
    volume.written_at = clock::monotonic_ns();
    bool const same = !volume.changed && !volume.times_changed;
    if (same && block_cache::dirty_count() == 0 && (!clean || volume.super->clean != 0)) return 0;
    Result result = write_contents();
    if (result == 0 && !same) result = write_pairs();
    if (result == 0) result = port::flush_disk();
    if (result != 0) return fail(result);
    contents_are_written();
    if (same && (!clean || volume.super->clean != 0)) return 0;
    turn_pairs();
    if (result = write_superblock(clean); result != 0) return fail(result);
    volume.usable = volume.free;
    volume.changed = volume.times_changed = false;
    return 0;
}

Result sync(bool data_only) {
    if (!volume.mounted) return 0;
    if (!data_only || volume.changed) return commit(false);
    if (volume.failed) return -EIO;
    if (block_cache::dirty_count() == 0) return 0;
    Result result = write_contents();
    if (result == 0) result = port::flush_disk();
    if (result != 0) return fail(result);
    contents_are_written();
    return 0;
}

} // namespace iso::guest::diskfs
