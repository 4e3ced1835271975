// Reading and writing RAM files.
#include "guest/kernel/ramfs.hpp"

#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/write_pieces.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::ramfs {

namespace {

// Pages that `bytes` from `at` on touch.
u32 pages_touched(u64 at, u64 bytes) {
    constexpr u64 k_most = 1 << 20; // a transfer has 2 GiB at most
    return static_cast<u32>(
        smaller(((at & (k_page - 1)) + bytes + k_page - 1) >> k_page_bits, k_most));
}

Result read(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    Node& node = *file.node;
    if (offset >= node.size) return 0;
    bytes = smaller(bytes, node.size - offset);
    if ((offset & (k_page - 1)) + bytes <= k_page) { // the short way for what is usual
        Gpa const frame = page(node, offset >> k_page_bits, false);
        return frame != 0 ? fill_out(to, frame + (offset & (k_page - 1)), bytes)
                          : zero_out(to, bytes);
    }
    u64 done = 0;
    while (done < bytes) {
        u64 const at = offset + done;
        u64 const within = at & (k_page - 1);
        Gpa first = 0;
        u32 const count = run(node, at >> k_page_bits, pages_touched(at, bytes - done), first);
        u64 const length = smaller(count * k_page - within, bytes - done);
        Result const result =
            first != 0 ? fill_out(to + done, first + within, length) : zero_out(to + done, length);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    }
    return static_cast<Result>(done);
}

// Whole new pages: filled first, so that nobody sees what their frames held before.
Result write_new(Node& node, UserAddr from, u64 pages, u64 index) {
    FrameRun run = frames_for(node, index, static_cast<u32>(smaller<u64>(pages, k_table_entries)));
    if (run.count == 0) return -ENOSPC;
    Result const result = fetch_in(run.first, from, run.count * k_page);
    u64 const written = result > 0 ? static_cast<u64>(result) : 0;
    u64 const kept = page_up(written);
    if (kept != written) port::zero(run.first + written, kept - written);
    auto const unused = run.count - static_cast<u32>(kept >> k_page_bits);
    if (unused != 0) frames.release(run.first + kept, unused);
    run.count -= unused;
    put_frames(node, index, run);
    return result;
}

// As much of a write as goes into neighbouring frames.
Result write_run(Node& node, UserAddr from, u64 bytes, u64 at) {
    u64 const within = at & (k_page - 1);
    u64 const index = at >> k_page_bits;
    Gpa first = 0;
    u32 count = run(node, index, pages_touched(at, bytes), first);
    if (first == 0) {
        u64 const whole = within == 0 ? smaller<u64>(bytes >> k_page_bits, count) : 0;
        if (whole != 0) return write_new(node, from, whole, index);
        first = page(node, index, true);
        count = 1;
        if (first == 0) return -ENOSPC;
    }
    return fetch_in(first + within, from, smaller(count * k_page - within, bytes));
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64 offset) {
    Node& node = *file.node;
    return write_pieces(
        node, k_largest, from, bytes, offset,
        [&](UserAddr piece, u64 left, u64 at) { return write_run(node, piece, left, at); }, [] {});
}

} // namespace

FileOperations const file_operations = {
    .read = read, .write = write, .seekable = true, .paged = true};

} // namespace iso::guest::ramfs
