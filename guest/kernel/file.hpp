#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/text.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest {

struct Node;
struct OpenFile;
struct EpollItem;
class Poller;

/// What can be done with an open file; an operation that is absent fails as Linux would.
struct FileOperations {
    Result (*read)(OpenFile&, UserAddr to, u64 bytes, u64 offset) = nullptr;
    Result (*write)(OpenFile&, UserAddr from, u64 bytes, u64 offset) = nullptr;
    bool seekable = false;
    /// Of a regular file: its bytes lie in pages here and there, not in one piece.
    bool paged = false;
    /// What it is ready for (POLLIN...); names the queues that are woken when that changes to the
    /// poller. Absent: always ready, as a regular file.
    u32 (*poll)(OpenFile&, Poller&) = nullptr;
    Result (*ioctl)(OpenFile&, u64 request, u64 argument) = nullptr;
    /// The last descriptor that named it is gone.
    void (*release)(OpenFile&) = nullptr;
};

/// An open file description: what dup and fork share. A fresh one is all zeros.
struct OpenFile {
    FileOperations const* operations = nullptr;
    Node* node = nullptr;   // nullptr: it has no name, as the console, pipes and the like
    void* object = nullptr; // what stands for it without a node, as its operations know it
    u64 offset = 0;
    u32 flags = 0; // O_ACCMODE and status flags
    u32 references = 0;
    u32 descriptor = 0; // of the engine, for the console
    EpollItem* watchers = nullptr;
};

/// The three that the first process starts with exist without being allocated or opened.
extern OpenFile console_files[3];

/// The descriptors of one process, or of several that share them. Room for the first few is in the
/// table itself; the others come a page frame at a time.
class FileTable {
public:
    static constexpr u32 k_files = 1024;

    constexpr FileTable() = default;
    FileTable(FileTable const&) = delete;
    FileTable& operator=(FileTable const&) = delete;

    OpenFile* at(u64 descriptor) const {
        return descriptor < k_near ? near_[descriptor] : far_at(descriptor);
    }
    /// Puts the file into the lowest free slot from `lowest` on; takes over the caller's reference,
    /// also when it fails.
    Result add(OpenFile* file, u32 lowest, bool close_on_exec);
    Result close(u64 descriptor);
    Result duplicate(u64 from, u64 to, bool close_on_exec);
    bool close_on_exec(u64 descriptor) const {
        return (close_on_exec_[descriptor / 64] >> descriptor % 64 & 1) != 0;
    }
    void set_close_on_exec(u64 descriptor, bool on);
    /// What execve(2) does: closes those that are marked.
    void close_for_exec();
    /// Every number from here on is free.
    u32 end() const { return end_; }

    /// A table of its own with the same open files, for fork(2); nullptr: no memory.
    FileTable* clone() const;
    /// One more process uses this table (CLONE_FILES).
    void share() { ++references_; }
    u32 references() const { return references_; }
    /// One process less; the last one closes all files.
    static void drop(FileTable* table);

private:
    static constexpr u32 k_near = 16;
    static constexpr u32 k_far = k_page / sizeof(OpenFile*); // slots in one frame
    static constexpr u32 k_far_frames = 2;
    static_assert(k_near + k_far * k_far_frames >= k_files);

    OpenFile* far_at(u64 descriptor) const;
    OpenFile** slot(u32 descriptor, bool create);
    void put(u32 descriptor, OpenFile** slot, OpenFile* file, bool close_on_exec);

    OpenFile* near_[k_near] = {&console_files[0], &console_files[1], &console_files[2]};
    OpenFile** far_[k_far_frames] = {};
    u64 close_on_exec_[k_files / 64] = {};
    u32 end_ = 3;        // no slot from here on is in use
    u32 used_below_ = 0; // no slot below is free
    u32 references_ = 1;
};

/// A new open file on `node`, with one reference; nullptr when there is no memory.
OpenFile* make_file(Node* node, FileOperations const* operations, u32 flags);
/// The same for what has no node.
OpenFile* make_nameless(void* object, FileOperations const* operations, u32 flags);
void drop_file(OpenFile* file);

/// Keeps an open file while its user sleeps: another thread may close its descriptor.
class HeldFile {
public:
    explicit HeldFile(OpenFile& file)
        : file_(file) {
        ++file_.references;
    }
    ~HeldFile() { drop_file(&file_); }
    HeldFile(HeldFile const&) = delete;
    HeldFile& operator=(HeldFile const&) = delete;

private:
    OpenFile& file_;
};

// Reading and writing as read(2), pread(2) and so on do, with all of their checks.
Result read_file_at(OpenFile& file, UserAddr to, u64 bytes, u64 offset);
Result write_file_at(OpenFile& file, UserAddr from, u64 bytes, u64 offset);

extern FileOperations const console_operations;

} // namespace iso::guest
