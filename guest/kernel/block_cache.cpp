#include "guest/kernel/block_cache.hpp"

#include "guest/kernel/block.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::block_cache {

namespace {

constinit Pool<Buffer> buffers("disk_buffer");
Buffer** buckets = nullptr;
u32 bucket_mask = 0;
Buffer* hand = nullptr; // where the last look for something to give up ended
Buffer* oldest_dirty = nullptr;
Buffer* newest_dirty = nullptr;
Buffer* spares = nullptr; // for prepare(), by their chain
u32 spare_count = 0;
u32 count = 0;
u32 dirty = 0;

Buffer** bucket_of(u32 block) {
    return &buckets[block & bucket_mask]; // neighbours are many, and stand side by side
}

void link(Buffer& buffer) {
    Buffer** const bucket = bucket_of(buffer.block);
    buffer.chain = *bucket;
    *bucket = &buffer;
}

void unlink(Buffer& buffer) {
    Buffer** place = bucket_of(buffer.block);
    while (*place != &buffer)
        place = &(*place)->chain;
    *place = buffer.chain;
}

void unlink_dirty(Buffer& buffer) {
    (buffer.previous_dirty != nullptr ? buffer.previous_dirty->next_dirty : oldest_dirty) =
        buffer.next_dirty;
    (buffer.next_dirty != nullptr ? buffer.next_dirty->previous_dirty : newest_dirty) =
        buffer.previous_dirty;
    buffer.dirty = false;
    --dirty;
}

void forget(Buffer& buffer) {
    if (buffer.dirty) unlink_dirty(buffer);
    unlink(buffer);
    buffer.next->previous = buffer.previous;
    buffer.previous->next = buffer.next;
    if (hand == &buffer) hand = buffer.next != &buffer ? buffer.next : nullptr;
    frames.release(buffer.frame, 1);
    buffers.drop(&buffer);
    --count;
}

bool may_go(Buffer const& buffer) {
    return !buffer.dirty && !buffer.shared && buffer.pins == 0 &&
           frames.references(buffer.frame) == 1;
}

// Those that were used since the last look get another round.
bool give_one_up() {
    for (u32 looks = 2 * count; looks != 0; --looks) {
        Buffer& buffer = *hand;
        hand = buffer.next;
        if (buffer.recent) {
            buffer.recent = false;
        } else if (may_go(buffer)) {
            forget(buffer);
            return true;
        }
    }
    return false;
}

// Programs and the kernel need what is left.
bool has_memory(u32 pages) {
    return frames.available() >= frames.total() / 16 + pages;
}

} // namespace

u32 limit() {
    return static_cast<u32>(larger<u64>(frames.total() / 4, 64));
}

bool start() {
    if (buckets != nullptr) return true;
    u32 size = k_table_entries;
    while (size < limit() / 2 && size < 64 * k_table_entries)
        size *= 2;
    for (; size >= k_table_entries; size /= 2) {
        auto const pages = static_cast<u32>(size * sizeof(Buffer*) / k_page);
        Gpa const place = frames.take_contiguous(pages);
        if (place == 0) continue;
        port::zero(place, pages * k_page);
        buckets = linear<Buffer*>(place);
        bucket_mask = size - 1;
        return true;
    }
    return false;
}

u32 dirty_count() {
    return dirty;
}

Buffer* first_dirty() {
    return oldest_dirty;
}

Buffer* find(u32 block) {
    for (Buffer* buffer = *bucket_of(block); buffer != nullptr; buffer = buffer->chain) {
        if (buffer->block != block) continue;
        buffer->recent = true;
        return buffer;
    }
    return nullptr;
}

void make_room(u32 pages) {
    u32 const most = limit();
    while (count != 0 && (count + pages > most || !has_memory(pages)))
        if (!give_one_up()) return;
}

bool give_back() {
    constexpr u32 k_some = 32;
    u32 gone = 0;
    while (gone < k_some && give_one_up())
        ++gone;
    return gone != 0;
}

FrameRun take_frames(u32 want) {
    make_room(want);
    return has_memory(want) ? frames.take(want) : FrameRun{};
}

bool prepare(u32 count) {
    constexpr u32 k_tables = 16; // more than one way to a page has, twice
    while (spare_count < count + k_tables) {
        Buffer* const buffer = buffers.make();
        if (buffer == nullptr) return false;
        buffer->chain = spares;
        spares = buffer;
        ++spare_count;
    }
    return true;
}

Buffer* add(u32 block, Gpa frame) {
    if (spares == nullptr && !prepare(0)) return nullptr;
    Buffer* const buffer = spares;
    spares = buffer->chain;
    --spare_count;
    buffer->block = block;
    buffer->frame = frame;
    buffer->recent = true;
    link(*buffer);
    if (hand == nullptr) {
        hand = buffer->next = buffer->previous = buffer;
    } else { // the last one that the hand comes to
        buffer->next = hand;
        buffer->previous = hand->previous;
        hand->previous->next = buffer;
        hand->previous = buffer;
    }
    ++count;
    return buffer;
}

Result get(u32 block, Buffer*& buffer) {
    buffer = find(block);
    if (buffer != nullptr) return 0;
    FrameRun const run = take_frames(1);
    if (run.count == 0) return -ENOMEM;
    BlockRun const where{block, run.first, 1};
    Result const result = port::move_blocks(false, &where, 1);
    buffer = result == 0 ? add(block, run.first) : nullptr;
    if (buffer != nullptr) return 0;
    frames.release(run.first, 1);
    return result != 0 ? result : -ENOMEM;
}

Result make(u32 block, Buffer*& buffer) {
    FrameRun const run = take_frames(1);
    if (run.count == 0) return -ENOMEM;
    port::zero(run.first, k_page);
    buffer = add(block, run.first);
    if (buffer == nullptr) {
        frames.release(run.first, 1);
        return -ENOMEM;
    }
    set_dirty(*buffer);
    return 0;
}

bool is_pinned(u32 block) {
    Buffer const* const buffer = find(block);
    return buffer != nullptr && buffer->pins != 0;
}

bool drop(u32 block) {
    Buffer* const buffer = find(block);
    if (buffer == nullptr) return false;
    bool const mapped = frames.references(buffer->frame) > 1;
    forget(*buffer);
    return mapped;
}

void rename(Buffer& buffer, u32 block) {
    unlink(buffer);
    buffer.block = block;
    link(buffer);
}

void set_dirty(Buffer& buffer) {
    if (buffer.dirty) return;
    buffer.dirty = true;
    buffer.next_dirty = nullptr;
    buffer.previous_dirty = newest_dirty;
    (newest_dirty != nullptr ? newest_dirty->next_dirty : oldest_dirty) = &buffer;
    newest_dirty = &buffer;
    ++dirty;
}

void set_clean(Buffer& buffer) {
    if (buffer.shared && frames.references(buffer.frame) != 1) return;
    buffer.shared = false;
    unlink_dirty(buffer);
}

void clear() {
    while (hand != nullptr)
        forget(*hand);
}

} // namespace iso::guest::block_cache
