// After a machine that ended in the middle: is what the disk says of itself true? A superblock
// makes everything before it true at once, so all that can be left are files without a name.
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::diskfs {

namespace {

constexpr char const* k_unread = "some of it could not be read";
constexpr char const* k_outside = "a file has a block that does not exist: it is damaged";
constexpr char const* k_twice = "two files have the same block: it is damaged";
constexpr char const* k_unknown = "a file has a block that counts as free: it is damaged";
constexpr char const* k_strange = "an inode makes no sense: it is damaged";

class Check {
public:
    ~Check() {
        if (seen_ != nullptr) frames.release(gpa_of(seen_), volume.super->bitmap_blocks);
    }

    char const* run() {
        Gpa const place = frames.take_contiguous(volume.super->bitmap_blocks);
        if (place == 0) return "there is too little memory to check it; give more with --memory";
        seen_ = linear<u64>(place);
        port::zero(place, volume.super->bitmap_blocks * k_page);
        for (u32 number = k_root; number < inode_count(); ++number) {
            InodeBlock* block = nullptr;
            if (inode_block(number, block) != 0) return k_unread;
            DiskInode const& inode = inode_in(*block, number);
            if (inode.mode == 0) continue;
            if (char const* const wrong = inode_is_wrong(inode); wrong != nullptr) return wrong;
        }
        // Nothing of what has no name is changed before all of it was looked at.
        for (u32 number = k_root; number < inode_count(); ++number)
            if (inode_in(known_block(number), number).mode != 0 &&
                inode_in(known_block(number), number).links == 0)
                drop(number);
        return nullptr;
    }

private:
    char const* inode_is_wrong(DiskInode const& inode) {
        u32 const type = inode.mode & k_type_mask;
        bool const short_link = type == k_type_link && inode.size <= sizeof inode.pointer;
        if (inode.height > k_most_height || inode.size > k_largest_file) return k_strange;
        if (short_link || type == k_type_fifo) return nullptr;
        if (type != k_type_file && type != k_type_directory && type != k_type_link)
            return k_strange;
        for (u32 const block : inode.pointer)
            if (char const* const wrong = tree_is_wrong(block, inode.height); wrong != nullptr)
                return wrong;
        return nullptr;
    }

    char const* tree_is_wrong(u32 block, u32 height) {
        if (block == 0) return nullptr;
        if (!is_data_block(block)) return k_outside;
        u64& word = seen_[block / 64];
        u64 const bit = 1ull << block % 64;
        if ((word & bit) != 0) return k_twice;
        word |= bit;
        if (!is_used(block)) return k_unknown;
        if (height == 0) return nullptr;
        Buffer* buffer = nullptr;
        if (block_cache::get(block, buffer) != 0) return k_unread;
        Pin const pin(buffer);
        for (u32 i = 0; i < k_table_blocks; ++i) {
            char const* const wrong = tree_is_wrong(linear<u32>(buffer->frame)[i], height - 1);
            if (wrong != nullptr) return wrong;
        }
        return nullptr;
    }

    static void drop(u32 number) {
        Node node{};
        node.number = number;
        node.mode = inode_in(known_block(number), number).mode;
        volume.mounted = true; // for this
        forget(node);
        volume.mounted = false;
    }

    u64* seen_ = nullptr;
};

} // namespace

char const* check() {
    return Check().run();
}

} // namespace iso::guest::diskfs
