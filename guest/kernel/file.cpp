// Open files, and the tables of descriptors that name them.
#include "guest/kernel/file.hpp"

#include "guest/kernel/file_lock.hpp"
#include "guest/kernel/poll.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/vfs.hpp"

#include <linux/fcntl.h>

namespace iso::guest {

namespace {

constinit Pool<OpenFile> open_files("open_file");
constinit Pool<FileTable> tables("file_table");

} // namespace

OpenFile* FileTable::far_at(u64 descriptor) const {
    if (descriptor >= k_files) return nullptr;
    u64 const index = descriptor - k_near;
    OpenFile** const frame = far_[index / k_far];
    return frame != nullptr ? frame[index % k_far] : nullptr;
}

OpenFile** FileTable::slot(u32 descriptor, bool create) {
    if (descriptor < k_near) return &near_[descriptor];
    u32 const index = descriptor - k_near;
    OpenFile**& frame = far_[index / k_far];
    if (frame == nullptr) {
        if (!create) return nullptr;
        FrameRun const run = frames.take_zeroed(1);
        if (run.count == 0) return nullptr;
        frame = linear<OpenFile*>(run.first);
    }
    return &frame[index % k_far];
}

void FileTable::set_close_on_exec(u64 descriptor, bool on) {
    u64 const bit = 1ull << descriptor % 64;
    u64& word = close_on_exec_[descriptor / 64];
    word = on ? word | bit : word & ~bit;
}

void FileTable::put(u32 descriptor, OpenFile** slot, OpenFile* file, bool close_on_exec) {
    *slot = file;
    set_close_on_exec(descriptor, close_on_exec);
    if (descriptor >= end_) end_ = descriptor + 1;
}

Result FileTable::add(OpenFile* file, u32 lowest, bool close_on_exec) {
    bool const from_below = lowest <= used_below_;
    for (u32 i = larger(lowest, used_below_); i < k_files; ++i) {
        if (i < k_near && near_[i] != nullptr) continue;
        OpenFile** const place = slot(i, true);
        if (place == nullptr) {
            drop_file(file);
            return -ENOMEM;
        }
        if (*place != nullptr) continue;
        put(i, place, file, close_on_exec);
        if (from_below) used_below_ = i + 1;
        return i;
    }
    drop_file(file);
    return -EMFILE;
}

Result FileTable::close(u64 descriptor) {
    OpenFile** const place =
        descriptor < k_files ? slot(static_cast<u32>(descriptor), false) : nullptr;
    if (place == nullptr || *place == nullptr) return -EBADF;
    OpenFile* const file = *place;
    *place = nullptr;
    if (descriptor < used_below_) used_below_ = static_cast<u32>(descriptor);
    if (file->node != nullptr && file->node->locks != nullptr) drop_locks_of(*file->node, this);
    drop_file(file);
    return 0;
}

Result FileTable::duplicate(u64 from, u64 to, bool close_on_exec) {
    OpenFile* const file = at(from);
    if (file == nullptr || to >= k_files) return -EBADF;
    auto const target = static_cast<u32>(to);
    OpenFile** const place = slot(target, true);
    if (place == nullptr) return -ENOMEM;
    ++file->references;
    if (*place != nullptr) close(to);
    put(target, place, file, close_on_exec);
    return static_cast<Result>(to);
}

void FileTable::close_for_exec() {
    for (u32 word = 0; word * 64 < end_; ++word) {
        if (close_on_exec_[word] == 0) continue;
        for (u32 bit = 0; bit < 64; ++bit)
            if ((close_on_exec_[word] >> bit & 1) != 0) close(word * 64 + bit);
        close_on_exec_[word] = 0;
    }
}

FileTable* FileTable::clone() const {
    FileTable* const copy = tables.make();
    if (copy == nullptr) return nullptr;
    for (u32 i = 0; i < 3; ++i)
        copy->near_[i] = nullptr;
    copy->end_ = 0;
    copy->used_below_ = used_below_;
    for (u32 i = 0; i < end_; ++i) {
        OpenFile* const file = at(i);
        if (file == nullptr) continue;
        OpenFile** const place = copy->slot(i, true);
        if (place == nullptr) {
            drop(copy);
            return nullptr;
        }
        ++file->references;
        *place = file;
        copy->end_ = i + 1;
    }
    for (u32 word = 0; word * 64 < end_; ++word)
        copy->close_on_exec_[word] = close_on_exec_[word];
    return copy;
}

// Only what clone() made comes from the pool; the first process's table is in the image, and its
// room may serve a later one just as well.
void FileTable::drop(FileTable* table) {
    if (--table->references_ != 0) return;
    for (u32 i = 0; i < table->end_; ++i)
        table->close(i);
    for (OpenFile** const frame : table->far_)
        if (frame != nullptr) frames.release(gpa_of(frame), 1);
    tables.drop(table);
}

OpenFile* make_nameless(void* object, FileOperations const* operations, u32 flags) {
    OpenFile* const file = open_files.make_zeroed();
    if (file == nullptr) return nullptr;
    file->operations = operations;
    file->object = object;
    file->flags = flags;
    file->references = 1;
    return file;
}

OpenFile* make_file(Node* node, FileOperations const* operations, u32 flags) {
    OpenFile* const file = make_nameless(nullptr, operations, flags);
    if (file == nullptr) return nullptr;
    file->node = node;
    vfs::hold(node);
    return file;
}

void drop_file(OpenFile* file) {
    if (--file->references != 0) return;
    Node* const node = file->node;
    if (node != nullptr && node->locks != nullptr) drop_locks_of(*node, file);
    if (file->watchers != nullptr) forget_watched(*file);
    if (file->operations->release != nullptr) file->operations->release(*file);
    if (node != nullptr) vfs::unhold(node);
    if (file >= console_files && file < console_files + 3) return;
    open_files.drop(file);
}

} // namespace iso::guest
