// The top of /proc.
#include "guest/kernel/procfs.hpp"

#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/usercopy.hpp"

namespace iso::guest::procfs {

namespace {

void remove_all(Node& directory) {
    while (directory.newest != nullptr) {
        Entry* const entry = directory.newest;
        if (vfs::is_directory(entry->node)) remove_all(*entry->node);
        vfs::remove(entry);
    }
}

void remove_tree(Entry* entry) {
    remove_all(*entry->node);
    vfs::remove(entry);
}

Node* make_directory(Node& parent, Text wanted, Text name, Special const* special) {
    if (!is_missing(parent, wanted, name)) return nullptr;
    Node* const node = vfs::make_static(&parent, name, k_type_directory | 0555);
    if (node != nullptr) node->special = special;
    return node;
}

u32 process_directories = 0; // as a rule nobody ever looks

// The directory of a process that lives, made when it is missing.
Node* directory_of(Node& root, u32 pid) {
    char digits[20];
    Text const name{digits, decimal(digits, pid)};
    if (Entry* const entry = vfs::child(&root, name); entry != nullptr) return entry->node;
    Node* const node = vfs::make(&root, name, k_type_directory | 0555);
    if (node == nullptr) return nullptr;
    ++process_directories;
    node->special = &process_directory;
    node->device = pid;
    return node;
}

Node* follow_self(Node const& link) {
    return directory_of(*link.entry->parent, current().pid);
}

Result self_text(Node const&, char* buffer, u64, Text& text) {
    text = {buffer, decimal(buffer, current().pid)};
    return 0;
}

constexpr Special k_self = {.follow = follow_self, .text = self_text};

constexpr Special k_kernel = {.refresh = [](Node& directory, Text wanted) {
    refresh_files(directory, wanted, kernel_settings);
}};
constexpr Special k_memory = {.refresh = [](Node& directory, Text wanted) {
    refresh_files(directory, wanted, memory_settings);
}};
constexpr Special k_settings = {.refresh = [](Node& directory, Text wanted) {
    make_directory(directory, wanted, "kernel", &k_kernel);
    make_directory(directory, wanted, "vm", &k_memory);
}};

void refresh_root(Node& root, Text wanted) {
    if (u64 const pid = number_of(wanted); pid <= ~0u) {
        if (find_process(static_cast<u32>(pid)) != nullptr)
            directory_of(root, static_cast<u32>(pid));
        return;
    }
    if (wanted.empty())
        for (Process* process = next_process(nullptr); process != nullptr;
             process = next_process(process))
            directory_of(root, process->pid);
    if (is_missing(root, wanted, "self")) {
        Node* const self = vfs::make_static(&root, "self", k_type_link | 0777);
        if (self != nullptr) self->special = &k_self;
    }
    if (wanted == "self") return;
    make_directory(root, wanted, "sys", &k_settings);
    refresh_files(root, wanted, machine_files);
}

constexpr u64 k_text_bytes = 4096;
char text_buffer[k_text_bytes]; // the kernel serves one call at a time

Result read(OpenFile& file, UserAddr to, u64 bytes, u64 offset) {
    Node const& node = *file.node;
    auto const pid = static_cast<u32>(node.device);
    Process* const process = pid != 0 ? find_process(pid) : nullptr;
    if (pid != 0 && process == nullptr) return -ESRCH;
    Report report(text_buffer, smaller(bytes, k_text_bytes), offset);
    auto const& source = *static_cast<Source const*>(node.object);
    if (source.write != nullptr)
        source.write(report, process);
    else
        report << source.text;
    Result const result = copy_out(to, text_buffer, report.kept());
    return result != 0 ? result : static_cast<Result>(report.kept());
}

} // namespace

Special const root_directory = {.refresh = refresh_root};
FileOperations const file_operations = {.read = read, .seekable = true};

bool is_missing(Node const& directory, Text wanted, Text name) {
    return (wanted.empty() || wanted == name) && vfs::child(&directory, name) == nullptr;
}

void refresh_files(Node& directory, Text wanted, Source const* sources) {
    for (; !sources->name.empty(); ++sources) {
        if (!is_missing(directory, wanted, sources->name)) continue;
        Node* const node = vfs::make_static(&directory, sources->name, k_type_file | 0444);
        if (node == nullptr) return;
        node->operations = &file_operations;
        node->object = const_cast<Source*>(sources);
        node->device = directory.device;
    }
}

void process_gone(u32 pid) {
    if (process_directories == 0) return;
    Entry* const entry = vfs::child(vfs::root(), "proc");
    if (entry == nullptr) return;
    char digits[20];
    Entry* const directory = vfs::child(entry->node, {digits, decimal(digits, pid)});
    if (directory == nullptr) return;
    --process_directories;
    remove_tree(directory);
}

u64 decimal(char* to, u64 value) {
    char digits[20];
    u64 count = 0;
    do {
        digits[count++] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (u64 i = 0; i < count; ++i)
        to[i] = digits[count - 1 - i];
    return count;
}

u64 number_of(Text name) {
    if (name.empty() || name.size > 10 || (name[0] == '0' && name.size > 1)) return ~0ull;
    u64 value = 0;
    for (u64 i = 0; i < name.size; ++i) {
        if (name[i] < '0' || name[i] > '9') return ~0ull;
        value = value * 10 + static_cast<u64>(name[i] - '0');
    }
    return value;
}

Report& Report::operator<<(Text text) {
    u64 const before = smaller(skip_, text.size);
    skip_ -= before;
    u64 const length = smaller(text.size - before, size_ - kept_);
    copy_small(to_ + kept_, text.data + before, length);
    kept_ += length;
    return *this;
}

Report& Report::operator<<(u64 value) {
    char digits[20];
    return *this << Text{digits, decimal(digits, value)};
}

Report& Report::hex(u64 value, u32 digits) {
    char text[16];
    u32 start = 16;
    while (start > 16 - digits || (value != 0 && start > 0)) {
        text[--start] = "0123456789abcdef"[value % 16];
        value /= 16;
    }
    return *this << Text{text + start, 16u - start};
}

Report& Report::padded(u64 value, u32 width) {
    char digits[20];
    u64 const length = decimal(digits, value);
    for (u64 i = length; i < width; ++i)
        *this << " ";
    return *this << Text{digits, length};
}

} // namespace iso::guest::procfs
