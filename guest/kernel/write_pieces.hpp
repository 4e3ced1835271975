#pragma once

#include "guest/kernel/file.hpp"
#include "guest/kernel/vfs.hpp"

namespace iso::guest {

/// write(2) into a file of a file system that takes it in pieces. `some(from, bytes, at)` writes
/// as much as goes at once and returns how much that was, or why nothing was; `longer()` is called
/// after the file's size has grown. What was written before a failure counts: bytes, or the errno.
template <typename Some, typename Longer>
Result write_pieces(Node& node, u64 largest, UserAddr from, u64 bytes, u64 offset, Some some,
                    Longer longer) {
    if (bytes == 0) return 0;
    if (offset >= largest) return -EFBIG;
    bytes = smaller(bytes, largest - offset);
    u64 done = 0;
    Result result = 0;
    while (done < bytes) {
        result = some(from + done, bytes - done, offset + done);
        if (result <= 0) break;
        done += static_cast<u64>(result);
        if (offset + done > node.size) {
            node.size = offset + done;
            longer();
        }
    }
    if (done == 0) return result;
    vfs::content_changed(&node);
    return static_cast<Result>(done);
}

} // namespace iso::guest
