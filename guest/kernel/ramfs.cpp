// Reading and writing RAM files.
#include "guest/kernel/ramfs.hpp"

#include "guest/kernel/usercopy.hpp"

namespace iso::guest::ramfs {

namespace {

Result read(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    Node& node = *file.node;
    if (offset >= node.size) return 0;
    bytes = smaller(bytes, node.size - offset);
    u64 done = 0;
    while (done < bytes) {
        u64 const at = offset + done;
        u64 const within = at & (k_page - 1);
        u64 const length = smaller(k_page - within, bytes - done);
        Gpa const frame = page(node, at >> k_page_bits, false);
        Result const result =
            frame != 0 ? fill_out(to + done, frame + within, length) : zero_out(to + done, length);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    }
    return static_cast<Result>(done);
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64 offset) {
    Node& node = *file.node;
    if (bytes == 0) return 0;
    if (offset >= k_largest) return -EFBIG;
    bytes = smaller(bytes, k_largest - offset);
    u64 done = 0;
    Result result = 0;
    while (done < bytes) {
        u64 const at = offset + done;
        u64 const length = smaller(k_page - (at & (k_page - 1)), bytes - done);
        Gpa const frame = page(node, at >> k_page_bits, true);
        result = frame != 0 ? fetch_in(frame + (at & (k_page - 1)), from + done, length) : -ENOSPC;
        if (result < 0) break;
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    }
    if (done == 0) return result;
    if (offset + done > node.size) node.size = offset + done;
    vfs::content_changed(&node);
    return static_cast<Result>(done);
}

} // namespace

FileOperations const file_operations = {.read = read, .write = write, .seekable = true};

} // namespace iso::guest::ramfs
