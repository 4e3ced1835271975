// Files that the engine passed in: read-only, in memory already.
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

namespace iso::guest {

namespace {

Result read_module(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    Node const& node = *file.node;
    if (offset >= node.size) return 0;
    return fill_out(to, node.data + offset, smaller(bytes, node.size - offset));
}

} // namespace

FileOperations const module_operations = {.read = read_module, .seekable = true};

} // namespace iso::guest
