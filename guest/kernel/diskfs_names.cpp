// Directories: their names are read when the first of them is looked for, and live in the tree in
// memory then; changes go to both.
#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/memory.hpp"

namespace iso::guest::diskfs {

namespace {

constexpr u64 k_unit = 8; // records start at multiples of it

u64 record_bytes(u64 name) {
    return (sizeof(Record) + name + k_unit - 1) & ~(k_unit - 1);
}

Record* record_at(Buffer const& buffer, u64 within) {
    return reinterpret_cast<Record*>(linear(buffer.frame) + within);
}

// The record at `within`, if it is one.
Record* checked(Buffer const& buffer, u64 within) {
    Record* const record = record_at(buffer, within);
    bool const fits = record->bytes >= sizeof(Record) && record->bytes % k_unit == 0 &&
                      record->bytes <= k_page - within;
    bool const holds = record->inode == 0 || (record->name_bytes != 0 &&
                                              record_bytes(record->name_bytes) <= record->bytes);
    return fits && holds ? record : nullptr;
}

Result get_block(Node& directory, u64 index, Map how, Buffer*& buffer) {
    u32 block = 0;
    bool made = false;
    if (Result const result = map_block(directory, index, how, block, &made); result != 0)
        return result;
    if (block == 0) return -EIO;
    return made ? block_cache::make(block, buffer) : block_cache::get(block, buffer);
}

bool is_name(Text name) {
    for (u64 i = 0; i < name.size; ++i)
        if (name[i] == '/' || name[i] == 0) return false;
    return !(name == ".") && !(name == "..");
}

// One name into the tree in memory.
Result enter(Node& directory, Record const& record, u64 place) {
    Text const name(record.name(), record.name_bytes);
    InodeBlock* block = nullptr;
    if (Result const result = inode_block(record.inode, block); result != 0) return result;
    if (!is_name(name) || vfs::child(&directory, name) != nullptr) return -EIO;
    u32 const mode = inode_in(*block, record.inode).mode;
    if (mode == 0 || mode >> 12 != record.type || record.inode <= k_root) return -EIO;
    Node* node = block->nodes[record.inode % k_inodes_per_block];
    if (node != nullptr) { // another name of it was read before
        if (vfs::is_directory(node)) return -EIO;
        u32 const links = node->links;
        if (!vfs::enter(&directory, name, node)) return -ENOMEM;
        node->links = links;
    } else {
        node = vfs::make(&directory, name, mode);
        if (node == nullptr) return -ENOMEM;
        node->number = record.inode;
        if (Result const result = load_node(*node); result != 0) {
            node->number = 0; // the disk keeps it as it is
            block->nodes[record.inode % k_inodes_per_block] = nullptr;
            if (vfs::is_link(node)) node->mode = k_type_file; // it has no text
            vfs::remove(node->entry);
            return result;
        }
    }
    node->entry->place = static_cast<u32>(place / k_unit);
    return 0;
}

Result read_names(Node& directory) {
    constexpr u64 k_worth_it = 32; // room for a usual name
    if (directory.size % k_page != 0) return -EIO;
    for (u64 start = 0; start < directory.size; start += k_page) {
        Buffer* buffer = nullptr;
        if (Result const result = get_block(directory, start / k_page, Map::look, buffer);
            result != 0)
            return result;
        Pin const pin(buffer);
        for (u64 within = 0; within < k_page;) {
            Record const* const record = checked(*buffer, within);
            if (record == nullptr) return -EIO;
            if (record->inode == 0) {
                if (record->bytes >= k_worth_it)
                    directory.data = smaller(directory.data, start + within);
            } else if (Result const result = enter(directory, *record, start + within);
                       result != 0) {
                return result;
            }
            within += record->bytes;
        }
    }
    return 0;
}

// What was read so far goes again, without the disk taking notice.
void forget_names(Node& directory) {
    bool const mounted = volume.mounted;
    volume.mounted = false;
    while (directory.newest != nullptr) {
        Node& node = *directory.newest->node;
        if (node.number != 0 && node.entry->alias == nullptr)
            known_block(static_cast<u32>(node.number)).nodes[node.number % k_inodes_per_block] =
                nullptr;
        u32 const links = node.links;
        bool const stays = node.entry->alias != nullptr || node.holds != 0;
        vfs::remove(directory.newest);
        if (stays) node.links = links;
    }
    volume.mounted = mounted;
}

Result load(Node& directory) {
    u32 const links = directory.links; // the disk counts what is below already
    directory.special = nullptr;
    directory.data = directory.size; // where there may be room for a name: nowhere
    Result const result = read_names(directory);
    if (result != 0) {
        forget_names(directory);
        directory.special = &unread_directory;
    }
    directory.links = links;
    return result;
}

// Puts the name into the free record at `within`; what is left becomes another one.
void fill(Record& record, u32 inode, Text name, u8 type) {
    u64 const bytes = record_bytes(name.size);
    u64 const rest = record.bytes - bytes;
    if (rest != 0) {
        auto* const behind = reinterpret_cast<Record*>(reinterpret_cast<u8*>(&record) + bytes);
        *behind = {};
        behind->bytes = static_cast<u16>(rest);
    }
    record.inode = inode;
    record.bytes = static_cast<u16>(bytes);
    record.name_bytes = static_cast<u8>(name.size);
    record.type = type;
    copy_small(record.name(), name.data, name.size);
}

// A free record with room for `bytes` in the block from `within` on; k_page when there is none.
// Free neighbours become one on the way.
u64 find_free(Buffer const& buffer, u64 within, u64 bytes) {
    while (within < k_page) {
        Record* const record = checked(buffer, within);
        if (record == nullptr) return k_page;
        while (record->inode == 0 && within + record->bytes < k_page) {
            Record const* const next = checked(buffer, within + record->bytes);
            if (next == nullptr || next->inode != 0) break;
            record->bytes = static_cast<u16>(record->bytes + next->bytes);
        }
        if (record->inode == 0 && record->bytes >= bytes) break;
        within += record->bytes;
    }
    return within;
}

// Where there is room for a name of so many bytes: first where the last one ended or left, then
// behind that, at last behind everything. The block can be changed.
Result make_place(Node& directory, u64 bytes, u64& place, Buffer*& buffer) {
    for (u64 at = directory.data; at < directory.size; at = (at & ~(k_page - 1)) + k_page) {
        if (Result const result = get_block(directory, at / k_page, Map::look, buffer); result != 0)
            return result;
        u64 const within = find_free(*buffer, at & (k_page - 1), bytes);
        place = (at & ~(k_page - 1)) + within;
        if (within == k_page) continue;
        Result const result = get_block(directory, at / k_page, Map::own, buffer);
        if (result == 0) block_cache::set_dirty(*buffer);
        return result;
    }
    place = directory.size;
    if (Result const result = get_block(directory, place / k_page, Map::own, buffer); result != 0)
        return result;
    block_cache::set_dirty(*buffer);
    *record_at(*buffer, 0) = {}; // whatever was there: it is behind the directory's end
    record_at(*buffer, 0)->bytes = k_page;
    directory.size += k_page;
    store(directory);
    return 0;
}

Result put_name(Node& directory, Text name, Node const& node, u64& place) {
    Buffer* buffer = nullptr;
    u64 const bytes = record_bytes(name.size);
    if (Result const result = make_place(directory, bytes, place, buffer); result != 0)
        return result;
    // On a damaged disk the block may be something else, too, and have changed since it was looked
    // at.
    Record* const record = checked(*buffer, place & (k_page - 1));
    if (record == nullptr || record->inode != 0 || record->bytes < bytes) return -EIO;
    u64 const rest = record->bytes - bytes;
    fill(*record, static_cast<u32>(node.number), name, static_cast<u8>(node.mode >> 12));
    directory.data = place + bytes;
    if (rest == 0) directory.data = (place & ~(k_page - 1)) + k_page; // on in the next block
    return 0;
}

// The record of a name that exists, in a block that can be changed.
Result own_record(Entry const& entry, Record*& record) {
    u64 const place = u64{entry.place} * k_unit;
    Buffer* buffer = nullptr;
    if (Result const result = get_block(*entry.parent, place / k_page, Map::own, buffer);
        result != 0)
        return result;
    block_cache::set_dirty(*buffer);
    record = checked(*buffer, place & (k_page - 1));
    return record != nullptr && record->inode == entry.node->number ? 0 : -EIO;
}

} // namespace

Special const unread_directory = {.load = load};

Result add_name(Entry& entry) {
    u64 place = 0;
    Result const result = put_name(*entry.parent, entry.name, *entry.node, place);
    if (result == 0) entry.place = static_cast<u32>(place / k_unit);
    return result;
}

Result remove_name(Entry& entry) {
    Record* record = nullptr;
    if (Result const result = own_record(entry, record); result != 0) return result;
    record->inode = 0;
    entry.parent->data = u64{entry.place} * k_unit;
    return 0;
}

Result move_name(Entry& entry, Node& directory, Text name, Entry* replaced) {
    u64 place = 0;
    if (replaced != nullptr) {
        Record* record = nullptr;
        if (Result const result = own_record(*replaced, record); result != 0) return result;
        place = u64{replaced->place} * k_unit;
        record->inode = static_cast<u32>(entry.node->number);
        record->type = static_cast<u8>(entry.node->mode >> 12);
    } else if (Result const result = put_name(directory, name, *entry.node, place); result != 0) {
        return result;
    }
    if (Result const result = remove_name(entry); result != 0) {
        volume.failed = true; // it has two names now: the disk keeps what it had
        return result;
    }
    entry.place = static_cast<u32>(place / k_unit);
    return 0;
}

} // namespace iso::guest::diskfs
