#include "guest/kernel/file.hpp"

#include "guest/kernel/console.hpp"
#include "guest/kernel/pool.hpp"

#include <linux/fcntl.h>

namespace iso::guest {

namespace {

Pool<OpenFile> open_files;

Result read_console(OpenFile& file, UserAddr to, u64 bytes, u64) {
    return file.descriptor == 0 ? console::read(to, bytes) : -EBADF;
}

Result write_console(OpenFile& file, UserAddr from, u64 bytes, u64) {
    return file.descriptor != 0 ? console::write(file.descriptor, from, bytes) : -EBADF;
}

} // namespace

FileOperations const console_operations = {read_console, write_console, false};

constinit OpenFile console_files[3] = {
    {.operations = &console_operations, .flags = O_RDONLY, .references = 1, .descriptor = 0},
    {.operations = &console_operations, .flags = O_WRONLY, .references = 1, .descriptor = 1},
    {.operations = &console_operations, .flags = O_WRONLY, .references = 1, .descriptor = 2},
};

Result FileTable::add(OpenFile* file, u32 lowest, bool close_on_exec) {
    for (u32 i = lowest; i < k_files; ++i) {
        if (files_[i] != nullptr) continue;
        files_[i] = file;
        close_on_exec_[i] = close_on_exec;
        return i;
    }
    drop_file(file);
    return -EMFILE;
}

Result FileTable::close(u64 descriptor) {
    OpenFile* const file = at(descriptor);
    if (file == nullptr) return -EBADF;
    files_[descriptor] = nullptr;
    drop_file(file);
    return 0;
}

Result FileTable::duplicate(u64 from, u64 to, bool close_on_exec) {
    OpenFile* const file = at(from);
    if (file == nullptr || to >= k_files) return -EBADF;
    ++file->references;
    if (files_[to] != nullptr) drop_file(files_[to]);
    files_[to] = file;
    close_on_exec_[to] = close_on_exec;
    return static_cast<Result>(to);
}

OpenFile* make_file(Node* node, FileOperations const* operations, u32 flags) {
    OpenFile* const file = open_files.make();
    if (file == nullptr) return nullptr;
    file->operations = operations;
    file->node = node;
    file->flags = flags;
    file->references = 1;
    return file;
}

void drop_file(OpenFile* file) {
    if (--file->references != 0) return;
    if (file >= console_files && file < console_files + 3) return;
    open_files.drop(file);
}

} // namespace iso::guest
