// The tree that the machine starts with: the files the engine passed in, /dev, /proc and /tmp.
// Built when the first path is looked up; what is in /dev and /proc appears when it is asked for.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/fs_device.hpp"
#include "guest/kernel/procfs.hpp"
#include "guest/kernel/vfs_text.hpp"

namespace iso::guest::vfs {

namespace {

Entry root_entry;
Node root_node{.mode = k_type_directory | 0755, .links = 2, .number = 1};
bool built = false;

Node* directory_at(Node* parent, Text name) {
    Entry const* const existing = child(parent, name);
    return existing != nullptr ? existing->node
                               : make_static(parent, name, k_type_directory | 0755);
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

// The last component of `path`, which loses it; empty for the root.
Text last_component(Text& path) {
    while (!path.empty() && path[path.size - 1] == '/')
        --path.size;
    u64 start = path.size;
    while (start > 0 && path[start - 1] != '/')
        --start;
    Text const name = path.from(start);
    path.size = start;
    return name;
}

Node* make_path(Text path) {
    Node* at = &root_node;
    for (u64 start = 0; start < path.size && at != nullptr;) {
        u64 end = start;
        while (end < path.size && path[end] != '/')
            ++end;
        if (end > start) at = directory_at(at, {path.data + start, end - start});
        start = end + 1;
    }
    return at;
}

bool add_module(iso_module const& module, bool is_program) {
    Text path = module_path(module);
    Text const name = last_component(path);
    if (name.empty()) return true; // the root itself
    Node* const parent = make_path(path);
    if (parent == nullptr) return false;
    // A directory that was implied before it was named, or a file given twice.
    if (Entry const* const existing = child(parent, name); existing != nullptr) {
        Node* const node = existing->node;
        if (is_directory(node) && module.kind == ISO_MODULE_DIRECTORY) node->mode = mode_of(module);
        return true;
    }
    if (is_program) return enter_static(parent, name, program_node());
    u32 const mode = mode_of(module);
    Node* const node = make_static(parent, name, mode);
    if (node == nullptr) return false;
    if (!is_directory(node)) set_module(*node, module);
    return true;
}

bool add_system_nodes() {
    Node* const devices = directory_at(&root_node, "dev");
    Node* const processes = directory_at(&root_node, "proc");
    Node* const temporary = directory_at(&root_node, "tmp");
    if (devices == nullptr || processes == nullptr || temporary == nullptr) return false;
    devices->filesystem = FileSystem::devices;
    devices->special = &device_directory;
    processes->filesystem = FileSystem::processes;
    processes->mode = k_type_directory | 0555;
    processes->special = &procfs::root_directory;
    temporary->filesystem = FileSystem::temporary;
    temporary->mode = k_type_directory | 01777;
    if (diskfs::is_mounted()) {
        Node* const disk = directory_at(&root_node, "disk");
        if (disk == nullptr) return false;
        diskfs::attach(*disk);
    }
    return true;
}

// False when memory ran out; what could not be added is then missing.
bool build() {
    built = true;
    root_node.entry = &root_entry;
    root_entry.parent = root_entry.node = &root_node;
    root_node.owner = boot_info().host_uid;
    root_node.group = boot_info().host_gid;
    for (u32 i = 0; i < boot_info().module_count; ++i)
        if (!add_module(boot_modules()[i], i == 0)) return false;
    return add_system_nodes();
}

} // namespace

Node program_file;

Node* root() {
    if (!built) build();
    return &root_node;
}

Node* program_node() {
    if (program_file.mode == 0) {
        set_module(program_file, boot_modules()[0]);
        program_file.links = 1;
        program_file.owner = boot_info().host_uid;
        program_file.group = boot_info().host_gid;
    }
    return &program_file;
}

} // namespace iso::guest::vfs
