// From paths to nodes and back (path_resolution(7)).
#include "guest/kernel/vfs.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/kernel/memory.hpp"

namespace iso::guest::vfs {

namespace {

constexpr u32 k_links_followed = 40; // as Linux, path_resolution(7)

// Cuts the first component off `path`, with the slashes around it.
Text next_component(Text& path) {
    while (!path.empty() && path[0] == '/')
        path = path.from(1);
    u64 length = 0;
    while (length < path.size && path[length] != '/')
        ++length;
    Text const component{path.data, length};
    path = path.from(length);
    return component;
}

bool only_slashes(Text path) {
    for (u64 i = 0; i < path.size; ++i)
        if (path[i] != '/') return false;
    return true;
}

Text target_of(Node const* link) {
    return {linear<char>(link->data), link->size};
}

bool may_search(Node const* directory) {
    return boot_info().host_uid == 0 || (directory->mode & 0100) != 0;
}

Result find_entry(Node* directory, Text name, Entry*& entry) {
    entry = child(directory, name);
    Special const* const special = directory->special;
    if (special == nullptr || (entry != nullptr && !special->changes)) return 0;
    if (special->load != nullptr) {
        if (Result const result = special->load(*directory); result != 0) return result;
    } else {
        special->refresh(*directory, name);
    }
    entry = child(directory, name);
    return 0;
}

// One walk: `links` counts over all nested targets. Only a link in the middle of a path needs
// another walk: one at its end is where the path goes on.
Result walk(Node* at, Text path, bool follow_last, u32& links, Place& place) {
    if (!path.empty() && path[0] == '/') at = root();
    place = {at, {}, at, nullptr, false};
    for (;;) {
        place.slash = !path.empty();
        Text const name = next_component(path);
        if (name.empty()) {
            place.node = at;
            return place.slash && !is_directory(at) ? -ENOTDIR : 0;
        }
        if (!is_directory(at)) return -ENOTDIR;
        if (!may_search(at)) return -EACCES;
        if (name.size > 255) return -ENAMETOOLONG;
        place.directory = at;
        place.name = name;
        place.entry = nullptr;
        if (name == ".") continue;
        if (name == "..") {
            if (at->entry == nullptr) return -ENOENT; // it was removed
            at = parent_of(at);
            continue;
        }
        Entry* entry = nullptr;
        if (Result const result = find_entry(at, name, entry); result != 0) return result;
        if (entry == nullptr) {
            if (!only_slashes(path) || at->entry == nullptr) return -ENOENT;
            place.node = nullptr;
            place.slash = !path.empty();
            return 0;
        }
        place.entry = entry;
        Node* const node = entry->node;
        if (!is_link(node) || (path.empty() && !follow_last)) {
            at = node;
            continue;
        }
        if (++links > k_links_followed) return -ELOOP;
        if (node->special != nullptr && node->special->follow != nullptr) {
            at = node->special->follow(*node);
            if (at == nullptr && !path.empty()) return -ENOTDIR;
            if (at == nullptr) at = node; // what it stands for has no name: the caller knows
            continue;
        }
        if (path.empty()) {
            path = target_of(node);
            if (path[0] == '/') at = root();
            continue;
        }
        Place target;
        if (Result const result = walk(at, target_of(node), true, links, target); result != 0)
            return result;
        if (target.node == nullptr) return -ENOENT;
        at = target.node;
    }
}

} // namespace

Result load(Node* directory) {
    Special const* const special = directory->special;
    return special != nullptr && special->load != nullptr ? special->load(*directory) : 0;
}

Result check_empty(Node* directory) {
    if (Result const result = load(directory); result != 0) return result;
    return directory->newest != nullptr ? -ENOTEMPTY : 0;
}

Result link_text(Node const* node, char* buffer, u64 size, Text& text) {
    if (node->special != nullptr) return node->special->text(*node, buffer, size, text);
    text = target_of(node);
    return 0;
}

Result find(Node* directory, Text path, bool follow_last, Place& place) {
    if (path.empty()) return -ENOENT;
    u32 links = 0;
    return walk(directory, path, follow_last, links, place);
}

Result lookup(Node* directory, Text path, bool follow_last, Node*& found) {
    Place place;
    if (Result const result = find(directory, path, follow_last, place); result != 0) return result;
    found = place.node;
    return found != nullptr ? 0 : -ENOENT;
}

Result path_of(Node const* node, char* buffer, u64 size, Text& path) {
    char* at = buffer + size;
    for (;;) {
        Entry const* const entry = node->entry;
        if (entry == nullptr) return -ENOENT;
        if (entry->parent == node) break; // the root
        u64 const length = entry->name.size;
        if (static_cast<u64>(at - buffer) <= length) return -ERANGE;
        at -= length;
        copy_small(at, entry->name.data, length);
        *--at = '/';
        node = entry->parent;
    }
    if (at == buffer + size) *--at = '/';
    path = {at, static_cast<u64>(buffer + size - at)};
    return 0;
}

Result permits(Node const* node, u32 wanted) {
    constexpr u32 k_write = 2, k_execute = 1;
    bool const fixed =
        node->filesystem == FileSystem::root || node->filesystem == FileSystem::devices;
    if ((wanted & k_write) != 0 && fixed && !is_device(node) && !is_fifo(node)) return -EROFS;
    if (boot_info().host_uid == 0) {
        if ((wanted & k_execute) == 0 || is_directory(node)) return 0;
        return (node->mode & 0111) != 0 ? 0 : -EACCES;
    }
    // There is one user, and what is not its own only root could have given away.
    u32 const granted = is_device(node) ? node->mode & 7 : node->mode >> 6 & 7;
    return (wanted & ~granted) == 0 ? 0 : -EACCES;
}

} // namespace iso::guest::vfs
