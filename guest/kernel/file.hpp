#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/text.hpp"
#include "guest/kernel/types.hpp"

struct stat;

namespace iso::guest {

struct Node;
struct OpenFile;

/// What can be done with an open file; an operation that is absent fails as Linux would.
struct FileOperations {
    Result (*read)(OpenFile&, UserAddr to, u64 bytes, u64 offset);
    Result (*write)(OpenFile&, UserAddr from, u64 bytes, u64 offset);
    bool seekable;
};

/// An open file description: what dup shares.
struct OpenFile {
    FileOperations const* operations = nullptr;
    Node* node = nullptr; // nullptr: stdin, stdout and stderr
    u64 offset = 0;
    u32 flags = 0; // O_ACCMODE and status flags
    u32 references = 0;
    u32 descriptor = 0; // of the engine, for the console
};

/// The three that the first process starts with exist without being allocated or opened.
extern OpenFile console_files[3];

/// The descriptors of one process.
class FileTable {
public:
    static constexpr u32 k_files = 256;

    OpenFile* at(u64 descriptor) const {
        return descriptor < k_files ? files_[descriptor] : nullptr;
    }
    /// Puts the file into the lowest free slot from `lowest` on; takes over the caller's reference.
    Result add(OpenFile* file, u32 lowest, bool close_on_exec);
    Result close(u64 descriptor);
    Result duplicate(u64 from, u64 to, bool close_on_exec);
    bool close_on_exec(u64 descriptor) const { return close_on_exec_[descriptor]; }
    void set_close_on_exec(u64 descriptor, bool on) { close_on_exec_[descriptor] = on; }

private:
    OpenFile* files_[k_files] = {&console_files[0], &console_files[1], &console_files[2]};
    bool close_on_exec_[k_files] = {};
};

/// A new open file on `node`, with one reference; nullptr when there is no memory.
OpenFile* make_file(Node* node, FileOperations const* operations, u32 flags);
void drop_file(OpenFile* file);

extern FileOperations const console_operations;

} // namespace iso::guest
