#pragma once

#include "guest/kernel/vfs.hpp"

// /proc: directories whose entries appear when they are looked up, files whose text is made when
// they are read.

namespace iso::guest {
class Process;
}

namespace iso::guest::procfs {

extern Special const root_directory;

/// The open file that a link of /proc/PID/fd stands for; nullptr: the link is none, or leads to a
/// node.
OpenFile* file_behind(Node const* link);
/// A process is gone for good: so is its directory.
void process_gone(u32 pid);

// ---- Inside

/// The part of a generated text that a read asks for: what lies before is counted, not kept.
class Report {
public:
    Report(char* to, u64 size, u64 skip)
        : to_(to)
        , size_(size)
        , skip_(skip) {}

    Report& operator<<(Text text);
    Report& operator<<(u64 value);
    Report& hex(u64 value, u32 digits = 1);
    /// A number, right-aligned in as many characters at least.
    Report& padded(u64 value, u32 width);

    u64 kept() const { return kept_; }

private:
    char* to_;
    u64 size_;
    u64 skip_;
    u64 kept_ = 0;
};

/// One file of /proc: its name, and its text or who writes it. `process` is nullptr for the
/// machine's.
struct Source {
    Text name = {};
    void (*write)(Report& report, Process* process) = nullptr;
    Text text = {};
};

extern Source const machine_files[]; // each ends with an empty name
extern Source const kernel_settings[];
extern Source const memory_settings[];
extern Source const process_files[];

extern FileOperations const file_operations;
void write_mounts(Report& report, Process* process);

/// The processes there are; nullptr: none of that number, or no more.
Process* find_process(u32 pid);
Process* next_process(Process* after);

/// The entries of `sources` that are wanted (all: an empty name) and missing.
void refresh_files(Node& directory, Text wanted, Source const* sources);
/// Should `name` be made now?
bool is_missing(Node const& directory, Text wanted, Text name);
/// Writes the number in decimal; how many digits.
u64 decimal(char* to, u64 value);
/// The number that a name is; ~0 when it is none.
u64 number_of(Text name);
/// The directory of a process, and what is in it.
extern Special const process_directory;

} // namespace iso::guest::procfs
