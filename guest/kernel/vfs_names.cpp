// Nodes and their names: a table of all names for looking them up, a list per directory for showing
// them.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/vfs_text.hpp"

namespace iso::guest::vfs {

namespace {

constexpr u32 k_buckets = k_page / sizeof(Entry*);

constinit Pool<Node> nodes("node");
constinit Pool<Entry> entries("name");
Entry* buckets[k_buckets];
u64 next_number = 2;
u64 next_cookie = 3; // 0 to 2 are "." and ".." and the first name: see getdents64

template <typename Word>
u64 word_at(char const* text) {
    Word word;
    __builtin_memcpy(&word, text, sizeof word);
    return word;
}

// Its last 8 bytes and the first, or all there are, twice where they overlap: a few instructions
// for any name; what lies between hardly tells names apart.
u64 digest(Text name) {
    char const* const end = name.data + name.size;
    if (name.size >= 8) return word_at<u64>(end - 8) ^ word_at<u64>(name.data) * 31;
    if (name.size >= 4) return word_at<u32>(end - 4) << 32 | word_at<u32>(name.data);
    if (name.size >= 2) return word_at<u16>(end - 2) << 16 | word_at<u16>(name.data);
    return static_cast<u8>(name[0]);
}

Entry** bucket_of(Node const* parent, Text name) {
    u64 const hash = (digest(name) ^ name.size ^ parent->number << 17) * 0x9e3779b97f4a7c15;
    return &buckets[hash >> 55]; // the upper bits of a product depend on all
}
static_assert(k_buckets == 1 << (64 - 55));

void link_in(Entry* entry, Node* directory) {
    entry->parent = directory;
    entry->cookie = next_cookie++;
    entry->newer = nullptr;
    entry->older = directory->newest;
    if (entry->older != nullptr) entry->older->newer = entry;
    directory->newest = entry;
    Entry** const bucket = bucket_of(directory, entry->name);
    entry->bucket = *bucket;
    *bucket = entry;
    if (is_directory(entry->node)) ++directory->links;
}

void link_out(Entry* entry) {
    Node* const directory = entry->parent;
    if (entry->newer != nullptr) entry->newer->older = entry->older;
    if (entry->older != nullptr) entry->older->newer = entry->newer;
    if (directory->newest == entry) directory->newest = entry->older;
    Entry** place = bucket_of(directory, entry->name);
    while (*place != entry)
        place = &(*place)->bucket;
    *place = entry->bucket;
    if (is_directory(entry->node)) --directory->links;
}

bool enter_text(Node* directory, Text name, Node* node, bool owns) {
    Entry* const entry = entries.make_zeroed();
    if (entry == nullptr) return false;
    entry->name = name;
    entry->node = node;
    entry->owns_name = owns;
    entry->alias = node->entry;
    node->entry = entry;
    link_in(entry, directory);
    return true;
}

Node* make_node(Node* directory, Text name, u32 mode, bool owns) {
    Node* const node = nodes.make_zeroed();
    if (node == nullptr) return nullptr;
    node->mode = mode;
    node->filesystem = directory->filesystem;
    if (!on_disk(node)) node->number = next_number++; // there it is the disk's
    node->owner = boot_info().host_uid;
    node->group = boot_info().host_gid;
    node->links = is_directory(node) ? 2 : 1;
    if (!enter_text(directory, name, node, owns)) {
        nodes.drop(node);
        return nullptr;
    }
    return node;
}

void forget(Node* node) {
    if (on_disk(node)) diskfs::forget(*node);
    if (is_file(node) && node->operations == &ramfs::file_operations) ramfs::truncate(*node, 0);
    if (is_link(node) && node->special == nullptr)
        drop_text({linear<char>(node->data), node->size});
    if (is_fifo(node)) forget_fifo(*node);
    nodes.drop(node);
}

} // namespace

Entry* child(Node const* parent, Text name) {
    for (Entry* entry = *bucket_of(parent, name); entry != nullptr; entry = entry->bucket)
        if (entry->parent == parent && entry->name == name) return entry;
    return nullptr;
}

Node* make_nameless(u32 mode) {
    Node* const node = nodes.make();
    if (node == nullptr) return nullptr;
    node->number = next_number++;
    node->mode = mode;
    node->links = 0;
    node->filesystem = FileSystem::shared;
    node->operations = &ramfs::file_operations;
    return node;
}

Node* make_static(Node* directory, Text name, u32 mode) {
    return make_node(directory, name, mode, false);
}

Node* make(Node* directory, Text name, u32 mode) {
    Text const kept = keep_text(name);
    if (kept.data == nullptr) return nullptr;
    Node* const node = make_node(directory, kept, mode, true);
    if (node == nullptr) drop_text(kept);
    return node;
}

bool enter_static(Node* directory, Text name, Node* node) {
    node->number = next_number++;
    return enter_text(directory, name, node, false);
}

bool enter(Node* directory, Text name, Node* node) {
    Text const kept = keep_text(name);
    if (kept.data == nullptr) return false;
    if (!enter_text(directory, kept, node, true)) {
        drop_text(kept);
        return false;
    }
    ++node->links;
    return true;
}

void remove(Entry* entry) {
    Node* const node = entry->node;
    link_out(entry);
    Entry** place = &node->entry;
    while (*place != entry)
        place = &(*place)->alias;
    *place = entry->alias;
    if (entry->owns_name) drop_text(entry->name);
    entries.drop(entry);
    node->links = is_directory(node) ? 0 : node->links - 1;
    if (on_disk(node)) diskfs::store(*node);
    if (node->entry == nullptr && node->holds == 0) forget(node);
}

Result move(Entry* entry, Node* directory, Text name, Entry* replaced) {
    Text const kept = keep_text(name);
    if (kept.data == nullptr) return -ENOMEM;
    if (on_disk(directory)) {
        if (Result const result = diskfs::move_name(*entry, *directory, name, replaced);
            result != 0) {
            drop_text(kept);
            return result;
        }
    }
    if (replaced != nullptr) remove(replaced);
    link_out(entry);
    if (entry->owns_name) drop_text(entry->name);
    entry->name = kept;
    entry->owns_name = true;
    link_in(entry, directory);
    return 0;
}

void unhold(Node* node) {
    if (--node->holds == 0 && node->entry == nullptr && node != &program_file) forget(node);
}

void state_changed(Node* node) {
    node->changed = clock::realtime_ns();
    if (on_disk(node)) diskfs::store(*node);
}

void content_changed(Node* node) {
    node->changed = node->modified = clock::realtime_ns();
    if (on_disk(node)) diskfs::store(*node);
}

} // namespace iso::guest::vfs
