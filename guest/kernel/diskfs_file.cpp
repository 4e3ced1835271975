// Reading and writing files on the disk, through the cache.
#include "guest/kernel/block.hpp"
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vm.hpp"
#include "guest/kernel/write_pieces.hpp"
#include "guest/port/port.hpp"

#include <linux/fcntl.h>

namespace iso::guest::diskfs {

namespace {

constexpr u32 k_at_a_time = 64; // pages
constexpr u32 k_read_ahead = 32;

/// Frames that are being copied from or to: nobody may give them up meanwhile.
class HeldFrames {
public:
    HeldFrames(Gpa first, u32 count)
        : run_{first, count} {
        for (u32 i = 0; i < count; ++i)
            frames.share(first + i * k_page);
    }
    ~HeldFrames() { frames.release(run_.first, run_.count); }
    HeldFrames(HeldFrames const&) = delete;
    HeldFrames& operator=(HeldFrames const&) = delete;

private:
    FrameRun run_;
};

u32 pages_touched(u64 at, u64 bytes) {
    return static_cast<u32>(
        smaller<u64>(((at & (k_page - 1)) + bytes + k_page - 1) >> k_page_bits, k_at_a_time));
}

// Brings in pages that lie in these blocks, of which the first is not in memory, up to the next one
// that is.
Result read_blocks(u32 const* blocks, u32 count) {
    u32 wanted = 1;
    while (wanted < count && block_cache::find(blocks[wanted]) == nullptr)
        ++wanted;
    BlockBatch batch(false);
    FrameRun runs[k_at_a_time]; // memory may be in pieces
    u32 pieces = 0;
    u32 taken = 0;
    while (taken < wanted) {
        FrameRun const run = block_cache::take_frames(wanted - taken);
        if (run.count == 0) break;
        for (u32 i = 0; i < run.count; ++i)
            batch.add(blocks[taken + i], run.first + i * k_page);
        runs[pieces++] = run;
        taken += run.count;
    }
    Result result = batch.finish();
    u32 at = 0;
    for (u32 piece = 0; piece < pieces; ++piece)
        for (u32 i = 0; i < runs[piece].count; ++i) {
            Gpa const frame = runs[piece].first + i * k_page;
            if (result == 0 && block_cache::add(blocks[at++], frame) != nullptr) continue;
            frames.release(frame, 1);
            if (result == 0) result = -ENOMEM;
        }
    return taken != 0 ? result : -ENOMEM;
}

// Brings page `index` in, and some of those behind it: as many as are wanted, or more for whoever
// reads one page after the other.
Result read_in(Node& node, u64 index, u32 wanted) {
    u32 blocks[k_at_a_time];
    u32 before = 0;
    bool const in_order = index == 0 || (map_block(node, index - 1, Map::look, before) == 0 &&
                                         before != 0 && block_cache::find(before) != nullptr);
    if (in_order) wanted = larger(wanted, k_read_ahead);
    u32 count = 0;
    if (Result const result = map_run(node, index, wanted, blocks, count); result != 0)
        return result;
    return count != 0 ? read_blocks(blocks, count) : -EIO;
}

// How many pages from `index` on, at most `most`, lie in neighbouring frames from `first` on; if it
// is 0, so many pages are a hole. What is on the disk only is read.
Result find_run(Node& node, u64 index, u32 most, Gpa& first, u32& count) {
    u32 blocks[k_at_a_time];
    u32 known = 0;
    first = 0;
    if (Result const result = map_run(node, index, most, blocks, known); result != 0) return result;
    if (known == 0) {
        count = static_cast<u32>(smaller<u64>(most, hole_length(node, index)));
        return 0;
    }
    Buffer* buffer = block_cache::find(blocks[0]);
    if (buffer == nullptr) {
        if (Result const result = read_in(node, index, most); result != 0) return result;
        buffer = block_cache::find(blocks[0]);
        if (buffer == nullptr) return -ENOMEM;
    }
    first = buffer->frame;
    for (count = 1; count < known; ++count) {
        buffer = block_cache::find(blocks[count]);
        if (buffer == nullptr || buffer->frame != first + count * k_page) break;
    }
    return 0;
}

Result read(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    Node& node = *file.node;
    if (offset >= node.size) return 0;
    bytes = smaller(bytes, node.size - offset);
    u64 done = 0;
    Result result = 0;
    while (done < bytes) {
        u64 const at = offset + done;
        u64 const within = at & (k_page - 1);
        Gpa first = 0;
        u32 count = 0;
        result = find_run(node, at >> k_page_bits, pages_touched(at, bytes - done), first, count);
        if (result != 0) break;
        u64 const length = smaller(count * k_page - within, bytes - done);
        if (first == 0) {
            result = zero_out(to + done, length);
        } else {
            HeldFrames const held(first, count);
            result = fill_out(to + done, first + within, length);
        }
        if (result < 0) break;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    }
    return done != 0 ? static_cast<Result>(done) : result;
}

// The page in memory, for changing it; a hole becomes a block of zeros.
Result own_page(Node& node, u64 index, Buffer*& buffer) {
    u32 block = 0;
    bool made = false;
    if (Result const result = map_block(node, index, Map::look, block); result != 0) return result;
    if (block != 0) {
        buffer = block_cache::find(block);
        if (buffer == nullptr) {
            if (Result const result = read_in(node, index, 1); result != 0) return result;
            buffer = block_cache::find(block);
        }
        return buffer != nullptr ? 0 : -ENOMEM;
    }
    FrameRun const run = block_cache::take_frames(1); // before there is a block with old bytes
    if (run.count == 0) return -ENOMEM;
    port::zero(run.first, k_page);
    Result const result =
        block_cache::prepare() ? map_block(node, index, Map::make, block, &made) : -ENOMEM;
    if (result != 0) {
        frames.release(run.first, 1);
        return result;
    }
    buffer = block_cache::add(block, run.first);
    block_cache::set_dirty(*buffer);
    return 0;
}

// Makes filled frames the contents of the pages from `index` on; `placed` is how many of them, from
// the first on. All of them are gone from the caller.
Result place_frames(Node& node, u64 index, FrameRun run, u32& placed) {
    Result result = block_cache::prepare(run.count) ? 0 : -ENOMEM;
    placed = 0;
    while (result == 0 && placed < run.count) {
        Gpa const frame = run.first + placed * k_page;
        u32 block = 0;
        u32 count = 1;
        result = map_block(node, index + placed, Map::look, block);
        if (result != 0) break;
        Buffer* buffer = block != 0 ? block_cache::find(block) : nullptr;
        if (block == 0) {
            result = map_hole(node, index + placed, run.count - placed, block, count);
            if (result != 0) break;
        }
        if (buffer != nullptr) { // what was there, or a mapping of the file has it
            port::copy(buffer->frame, frame, k_page);
            frames.release(frame, 1);
            block_cache::set_dirty(*buffer);
        } else {
            for (u32 i = 0; i < count; ++i)
                block_cache::set_dirty(*block_cache::add(block + i, frame + i * k_page));
        }
        placed += count;
    }
    if (placed < run.count) frames.release(run.first + placed * k_page, run.count - placed);
    return result;
}

// Whole pages: their frames are filled before the file gets them. How many bytes.
Result write_pages(Node& node, UserAddr from, u32 pages, u64 index) {
    FrameRun run = block_cache::take_frames(pages);
    if (run.count == 0) return -ENOMEM;
    Result const fetched = fetch_in(run.first, from, run.count * k_page);
    u32 const whole = fetched > 0 ? static_cast<u32>(static_cast<u64>(fetched) >> k_page_bits) : 0;
    if (whole < run.count) frames.release(run.first + whole * k_page, run.count - whole);
    if (fetched < 0) return fetched;
    run.count = whole;
    u32 placed = 0;
    Result const result = place_frames(node, index, run, placed);
    return placed != 0 ? static_cast<Result>(placed * k_page) : result;
}

Result write_part(Node& node, UserAddr from, u64 bytes, u64 at) {
    u64 const within = at & (k_page - 1);
    Buffer* buffer = nullptr;
    if (Result const result = own_page(node, at >> k_page_bits, buffer); result != 0) return result;
    HeldFrames const held(buffer->frame, 1);
    Pin const pin(buffer);
    Result const result = fetch_in(buffer->frame + within, from, smaller(k_page - within, bytes));
    block_cache::set_dirty(*buffer); // after: somebody may have written it out meanwhile
    return result;
}

// As much of a write as is done in one go.
Result write_some(Node& node, UserAddr from, u64 bytes, u64 at) {
    if (Result const result = begin(); result != 0) return result;
    u64 const whole = (at & (k_page - 1)) == 0 ? bytes >> k_page_bits : 0;
    if (whole != 0) {
        auto const pages = static_cast<u32>(smaller<u64>(whole, k_at_a_time));
        Result const result = write_pages(node, from, pages, at >> k_page_bits);
        if (result != 0) return result; // 0: the memory ends inside the first page
    }
    return write_part(node, from, bytes, at);
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64 offset) {
    Node& node = *file.node;
    Result const done = write_pieces(
        node, k_largest_file, from, bytes, offset,
        [&](UserAddr piece, u64 left, u64 at) { return write_some(node, piece, left, at); },
        [&] { store(node); });
    if (done > 0 && (file.flags & (O_DSYNC | O_SYNC)) != 0)
        if (Result const synced = sync((file.flags & O_SYNC) != O_SYNC); synced != 0) return synced;
    return done;
}

} // namespace

FileOperations const file_operations = {
    .read = read, .write = write, .seekable = true, .paged = true};

Gpa page(Node& file, u64 index, bool create) {
    u32 block = 0;
    Buffer* buffer = nullptr;
    if (map_block(file, index, Map::look, block) != 0) return k_unreadable;
    if (block == 0) {
        if (!create) return 0;
        Result result = begin();
        if (result == 0) result = own_page(file, index, buffer);
        if (result != 0) return result == -ENOMEM ? 0 : k_unreadable;
        return buffer->frame;
    }
    buffer = block_cache::find(block);
    if (buffer == nullptr) {
        if (read_in(file, index, 8) != 0) return k_unreadable;
        buffer = block_cache::find(block);
    }
    return buffer != nullptr ? buffer->frame : k_unreadable;
}

void expose(Node& file, u64 index) {
    u32 block = 0;
    if (map_block(file, index, Map::look, block) != 0 || block == 0) return;
    Buffer* const buffer = block_cache::find(block);
    if (buffer == nullptr) return;
    buffer->shared = true;
    block_cache::set_dirty(*buffer);
}

Result truncate(Node& file, u64 size) {
    if (size > k_largest_file) return -EFBIG;
    if (Result const result = begin(); result != 0) return result;
    if (size < file.size) {
        volume.cut_mapped = false;
        Result const result = cut_blocks(file, page_up(size) >> k_page_bits);
        if (volume.cut_mapped) cut_all_views(file, size);
        if (result != 0) return result;
    }
    // Of the page that the shorter size ends in, nothing is to be seen behind it later.
    u64 const end = smaller(size, file.size);
    u64 const within = end & (k_page - 1);
    u32 block = 0;
    if (within != 0 && size != file.size &&
        map_block(file, end >> k_page_bits, Map::look, block) == 0 && block != 0) {
        Buffer* buffer = nullptr;
        if (Result const result = own_page(file, end >> k_page_bits, buffer); result != 0)
            return result;
        port::zero(buffer->frame + within, k_page - within);
        block_cache::set_dirty(*buffer);
    }
    file.size = size;
    store(file);
    return 0;
}

Result allocate(Node& file, u64 offset, u64 bytes) {
    if (offset + bytes > k_largest_file) return -EFBIG;
    u64 const last = (offset + bytes - 1) >> k_page_bits;
    u64 const first = offset >> k_page_bits;
    if (last - first >= volume.super->blocks) return -ENOSPC;
    for (u64 index = first; index <= last; ++index) {
        u32 block = 0;
        if (Result const result = map_block(file, index, Map::look, block); result != 0)
            return result;
        if (block != 0) continue;
        if (Result const result = begin(); result != 0) return result;
        Buffer* buffer = nullptr;
        if (Result const result = own_page(file, index, buffer); result != 0) return result;
    }
    return 0;
}

u64 seek(Node& file, u64 from, bool data) {
    while (from < file.size) {
        u64 const index = from >> k_page_bits;
        u32 block = 0;
        if (map_block(file, index, Map::look, block) != 0) return from; // reading it says why
        if ((block != 0) == data) return from;
        u64 const step = block != 0 ? 1 : hole_length(file, index);
        if (step > (file.size >> k_page_bits) + 1) break;
        from = (index + step) << k_page_bits;
    }
    return file.size;
}

} // namespace iso::guest::diskfs
