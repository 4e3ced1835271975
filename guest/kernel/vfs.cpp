// The tree of names: the files the engine passed in, /dev, /proc/self and /tmp. Built when the
// first path is looked up; most programs never ask.
#include "guest/kernel/vfs.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/pool.hpp"

namespace iso::guest::vfs {

namespace {

constexpr u32 k_buckets = k_page / sizeof(Node*);
constexpr u32 k_links_followed = 40; // as Linux, path_resolution(7)

Pool<Node> nodes;
Node root_node{.name = {}, .mode = k_type_directory | 0755, .number = 1};
Node** buckets = nullptr; // one frame
u64 next_number = 2;
bool built = false;

Node** bucket_of(Node const* parent, Text name) {
    u64 hash = parent->number * 0x9e3779b97f4a7c15;
    for (u64 i = 0; i < name.size; ++i)
        hash = hash * 31 + static_cast<u8>(name[i]);
    return &buckets[(hash ^ hash >> 17) % k_buckets];
}

Node* child(Node const* parent, Text name) {
    for (Node* node = *bucket_of(parent, name); node != nullptr; node = node->bucket)
        if (node->parent == parent && node->name == name) return node;
    return nullptr;
}

void attach(Node* parent, Text name, Node* node) {
    node->name = name;
    node->number = next_number++;
    node->parent = parent;
    node->sibling = parent->children;
    parent->children = node;
    Node** const bucket = bucket_of(parent, name);
    node->bucket = *bucket;
    *bucket = node;
}

Node* make_child(Node* parent, Text name, u32 mode) {
    Node* const node = nodes.make();
    if (node == nullptr) return nullptr;
    node->mode = mode;
    attach(parent, name, node);
    return node;
}

Node* directory_at(Node* parent, Text name) {
    Node* const existing = child(parent, name);
    return existing != nullptr ? existing : make_child(parent, name, k_type_directory | 0755);
}

// Cuts the first component off `path`.
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

u32 mode_of(iso_module const& module) {
    u32 const type = module.kind == ISO_MODULE_DIRECTORY ? k_type_directory
                     : module.kind == ISO_MODULE_SYMLINK ? k_type_link
                                                         : k_type_file;
    return type | (module.mode & 07777);
}

void set_module(Node& node, iso_module const& module) {
    node.mode = mode_of(module);
    node.size = module.bytes;
    node.data = module.gpa;
    node.operations = &module_operations;
}

bool add_module(iso_module const& module, bool is_program) {
    Text path = module_path(module);
    Node* parent = &root_node;
    Text name = next_component(path);
    for (Text next = next_component(path); !next.empty(); next = next_component(path)) {
        parent = directory_at(parent, name);
        if (parent == nullptr) return false;
        name = next;
    }
    if (name.empty()) return true; // the root itself
    Node* node = child(parent, name);
    if (node !=
        nullptr) { // a directory that was implied before it was named, or a file given twice
        if (is_directory(node) && module.kind == ISO_MODULE_DIRECTORY) node->mode = mode_of(module);
        return true;
    }
    if (is_program) {
        attach(parent, name, node = program_node());
        return true;
    }
    node = make_child(parent, name, 0);
    if (node == nullptr) return false;
    set_module(*node, module);
    return true;
}

bool add_system_nodes() {
    Node* const dev = directory_at(&root_node, "dev");
    Node* const proc = directory_at(&root_node, "proc");
    Node* const temporary = directory_at(&root_node, "tmp");
    Node* const self = proc != nullptr ? directory_at(proc, "self") : nullptr;
    Node* const exe = self != nullptr ? make_child(self, "exe", k_type_link | 0777) : nullptr;
    if (dev == nullptr || temporary == nullptr || exe == nullptr) return false;
    temporary->mode = k_type_directory | 01777;
    Text const path = module_path(boot_modules()[0]);
    exe->data = gpa_of(path.data);
    exe->size = path.size;
    for (u32 i = 0; i < device_count; ++i) {
        Node* const node = make_child(dev, devices[i].name, devices[i].mode);
        if (node == nullptr) return false;
        node->device = devices[i].number;
        node->operations = devices[i].operations;
    }
    return true;
}

// False when memory ran out; what could not be added is then missing.
bool build() {
    built = true;
    FrameRun const run = frames.take_zeroed(1);
    if (run.count == 0) return false;
    buckets = linear<Node*>(run.first);
    root_node.parent = &root_node;
    for (u32 i = 0; i < boot_info().module_count; ++i)
        if (!add_module(boot_modules()[i], i == 0)) return false;
    return add_system_nodes();
}

// One walk: `links` counts over all nested targets.
Result walk(Node* at, Text path, bool follow_last, u32& links, Node*& found) {
    if (!path.empty() && path[0] == '/') at = &root_node;
    for (;;) {
        bool const wants_directory = !path.empty();
        Text const name = next_component(path);
        if (name.empty()) {
            if (wants_directory && !is_directory(at)) return -ENOTDIR; // a slash at the end
            found = at;
            return 0;
        }
        if (!is_directory(at)) return -ENOTDIR;
        if (name.size > 255) return -ENAMETOOLONG;
        if (name == ".") continue;
        if (name == "..") {
            at = at->parent;
            continue;
        }
        Node* const node = child(at, name);
        if (node == nullptr) return -ENOENT;
        bool const last = path.empty();
        if (!is_link(node) || (last && !follow_last)) {
            at = node;
            continue;
        }
        if (++links > k_links_followed) return -ELOOP;
        Node* target = nullptr;
        if (Result const result = walk(at, link_target(node), true, links, target); result != 0)
            return result;
        at = target;
    }
}

} // namespace

Node* root() {
    if (!built) build();
    return &root_node;
}

Node program_file;

Node* program_node() {
    if (program_file.mode == 0) set_module(program_file, boot_modules()[0]);
    return &program_file;
}

Text link_target(Node const* node) {
    return {linear<char>(node->data), node->size};
}

Result lookup(Node* directory, Text path, bool follow_last, Node*& found) {
    if (path.empty()) return -ENOENT;
    if (!built && !build()) return -ENOMEM;
    u32 links = 0;
    return walk(directory, path, follow_last, links, found);
}

Result path_of(Node const* node, char* to, u64 size) {
    u64 length = 0;
    for (Node const* at = node; at != &root_node; at = at->parent)
        length += at->name.size + 1;
    if (node == &root_node) length = 1;
    if (length > size) return -ERANGE;
    u64 end = length;
    if (node == &root_node) to[0] = '/';
    for (Node const* at = node; at != &root_node; at = at->parent) {
        end -= at->name.size;
        copy_small(to + end, at->name.data, at->name.size);
        to[--end] = '/';
    }
    return static_cast<Result>(length);
}

} // namespace iso::guest::vfs
