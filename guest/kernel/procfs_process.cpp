// /proc/PID: what can be seen of one process (proc(5)).
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/procfs.hpp"

namespace iso::guest::procfs {

namespace {

// ---- What the process says of itself

Node* executable_of(Process const& process) {
    return process.executable != nullptr ? process.executable : vfs::program_node();
}
Node* directory_of(Process const& process) {
    return process.directory != nullptr ? process.directory : vfs::root();
}
u32 parent_of(Process const& process) {
    return process.parent != nullptr ? process.parent->pid : 1;
}
FileTable* files_of(Process& process) {
    return process.file_table; // nullptr: it ended
}
char state_of(Process const& process) {
    if (process.state == ProcessState::zombie) return 'Z';
    if (process.state == ProcessState::stopped) return 'T';
    for (Thread const* thread = process.threads; thread != nullptr; thread = thread->sibling)
        if (thread->state != ThreadState::blocked) return 'R';
    return 'S';
}

Text name_of(Process& process) {
    return process.short_name();
}

// The lowest area; the others follow it.
Vma* first_area(Process& process) {
    return process.space != nullptr ? process.space->first_area() : nullptr;
}

struct Usage {
    u64 mapped = 0; // bytes
    u64 resident = 0;
    u64 text = 0;
    u64 stack = 0;
};

Usage usage_of(Process& process) {
    Usage usage;
    if (process.space == nullptr) return usage;
    PageTable& table = process.space->table;
    for (Vma* area = first_area(process); area != nullptr; area = area->next) {
        u64 const bytes = area->end - area->start;
        usage.mapped += bytes;
        if ((area->protection & k_prot_exec) != 0) usage.text += bytes;
        if (area->stack) usage.stack += bytes;
        for (UserAddr at = area->start; at < area->end; at += k_page) {
            Pte const* const leaf = table.leaf(at, false);
            if (leaf == nullptr)
                at |= k_leaf_bytes - k_page; // nothing in all of the table's range
            else if (pte_present(leaf[leaf_index(at)]))
                usage.resident += k_page;
        }
    }
    return usage;
}

// ---- Files

void write_comm(Report& report, Process* process) {
    report << name_of(*process) << "\n";
}

// `count` zero-terminated strings of the boot information, `skip` of them left out before.
void write_strings(Report& report, u32 skip, u32 count) {
    iso_boot_info const& boot = boot_info();
    char const* const text = linear<char>(boot.arguments);
    u64 at = 0;
    for (u32 i = 0; i < skip + count && at < boot.argument_bytes; ++i) {
        u64 const length = text_length(text + at, boot.argument_bytes - at) + 1;
        if (i >= skip) report << Text{text + at, length};
        at += length;
    }
}

// What lies in the memory of a process, as far as it is there.
void write_memory(Report& report, Process& process, UserAddr from, u64 bytes) {
    while (process.space != nullptr && bytes != 0) {
        Pte const entry = process.space->table.entry(from);
        if (!pte_present(entry)) return;
        u64 const in_page = from & (k_page - 1);
        u64 const length = smaller(bytes, k_page - in_page);
        report << Text{linear<char>(pte_frame(entry) + in_page), length};
        from += length;
        bytes -= length;
    }
}

void write_cmdline(Report& report, Process* process) {
    if (process->arguments == 0) return write_strings(report, 0, boot_info().argument_count);
    write_memory(report, *process, process->arguments, process->arguments_bytes);
}

void write_environ(Report& report, Process* process) {
    if (process->arguments == 0)
        return write_strings(report, boot_info().argument_count, boot_info().environment_count);
    write_memory(report, *process, process->arguments + process->arguments_bytes,
                 process->environment_bytes);
}

char path_buffer[4096];

Text path_text_of(Node const* node) {
    Text path;
    Result const result = vfs::path_of(node, path_buffer, sizeof path_buffer, path);
    return result == 0 ? path : "(deleted)";
}

void write_maps(Report& report, Process* process) {
    for (Vma const* area = first_area(*process); area != nullptr; area = area->next) {
        u8 const rights = area->protection;
        report.hex(area->start, 8) << "-";
        report.hex(area->end, 8) << ((rights & k_prot_read) != 0 ? " r" : " -")
                                 << ((rights & k_prot_write) != 0 ? "w" : "-")
                                 << ((rights & k_prot_exec) != 0 ? "x" : "-") << "p ";
        u64 const offset = area->file != nullptr ? area->file_data - area->file->data : 0;
        report.hex(offset, 8) << (area->file != nullptr ? " 00:01 " : " 00:00 ");
        report << (area->file != nullptr ? area->file->number : 0);
        if (area->file != nullptr) report << "                   " << path_text_of(area->file);
        if (area->stack) report << "                   [stack]";
        report << "\n";
    }
}

void write_statm(Report& report, Process* process) {
    Usage const usage = usage_of(*process);
    report << usage.mapped / k_page << " " << usage.resident / k_page << " 0 "
           << usage.text / k_page << " 0 " << (usage.mapped - usage.text) / k_page << " 0\n";
}

u64 ticks_used(Process const& process) {
    return clock::ns_of_cycles(process.cycles_used()) / 10'000'000; // AT_CLKTCK 100
}

void write_stat(Report& report, Process* process) {
    Usage const usage = usage_of(*process);
    char const state[1] = {state_of(*process)};
    u64 const start = boot_info().clock_ns / 10'000'000;
    u64 const children = clock::ns_of_cycles(process->children_cycles) / 10'000'000;
    report << u64{process->pid} << " (" << name_of(*process) << ") " << Text{state, 1} << " "
           << u64{parent_of(*process)} << " " << u64{process->group} << " "
           << u64{process->session};
    report << " 0 -1 0 " << process->faults << " 0 0 0 ";              // tty to cmajflt
    report << ticks_used(*process) << " 0 " << children << " 0 20 0 "; // utime to nice
    report << u64{process->thread_count} << " 0 " << start << " ";
    // vsize, rss, rsslim; code, stack and signals are nobody's business.
    report << usage.mapped << " " << usage.resident / k_page
           << " 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
}

void write_status(Report& report, Process* process) {
    Usage const usage = usage_of(*process);
    char const state = state_of(*process);
    u64 const uid = boot_info().host_uid;
    u64 const gid = boot_info().host_gid;
    report << "Name:\t" << name_of(*process) << "\nState:\t"
           << (state == 'R'   ? "R (running)"
               : state == 'S' ? "S (sleeping)"
               : state == 'T' ? "T (stopped)"
                              : "Z (zombie)")
           << "\nTgid:\t" << u64{process->pid} << "\nPid:\t" << u64{process->pid} << "\nPPid:\t"
           << u64{parent_of(*process)} << "\nTracerPid:\t0\nUid:\t" << uid << "\t" << uid << "\t"
           << uid << "\t" << uid << "\nGid:\t" << gid << "\t" << gid << "\t" << gid << "\t" << gid
           << "\nFDSize:\t" << u64{files_of(*process) != nullptr ? files_of(*process)->end() : 0}
           << "\nVmSize:\t";
    report.padded(usage.mapped / 1024, 8) << " kB\nVmRSS:\t";
    report.padded(usage.resident / 1024, 8) << " kB\nVmStk:\t";
    report.padded(usage.stack / 1024, 8) << " kB\nVmExe:\t";
    report.padded(usage.text / 1024, 8)
        << " kB\nThreads:\t" << u64{process->thread_count} << "\nNoNewPrivs:\t1\n";
}

// ---- Links

Process* process_of(Node const& node) {
    return find_process(static_cast<u32>(node.device));
}

Result text_of(Node const* target, char* buffer, u64 size, Text& text) {
    if (target == nullptr) return -ENOENT;
    Result const result = vfs::path_of(target, buffer, size, text);
    if (result == -ENOENT) text = "(deleted)";
    return result == -ENOENT ? 0 : result;
}

Node* follow_exe(Node const& link) {
    Process const* const process = process_of(link);
    return process != nullptr ? executable_of(*process) : nullptr;
}
Node* follow_cwd(Node const& link) {
    Process const* const process = process_of(link);
    return process != nullptr ? directory_of(*process) : nullptr;
}
Node* follow_root(Node const&) {
    return vfs::root();
}

template <Node* (*Follow)(Node const&)>
Result followed_text(Node const& link, char* buffer, u64 size, Text& text) {
    return text_of(Follow(link), buffer, size, text);
}

struct Link {
    Text name;
    Special special;
};

constexpr Link k_links[] = {
    {"exe", {.follow = follow_exe, .text = followed_text<follow_exe>}},
    {"cwd", {.follow = follow_cwd, .text = followed_text<follow_cwd>}},
    {"root", {.follow = follow_root, .text = followed_text<follow_root>}},
};

// ---- /proc/PID/fd

OpenFile* open_file(Node const& link) {
    Process* const process = process_of(link);
    return process != nullptr && files_of(*process) != nullptr
               ? files_of(*process)->at(link.device >> 32)
               : nullptr;
}

Node* follow_file(Node const& link) {
    OpenFile const* const file = open_file(link);
    return file != nullptr ? file->node : nullptr;
}

Result file_text(Node const& link, char* buffer, u64 size, Text& text) {
    OpenFile const* const file = open_file(link);
    if (file == nullptr) return -ENOENT;
    if (file->node != nullptr) return text_of(file->node, buffer, size, text);
    Report report(buffer, size, 0);
    if (u64 const pipe = pipe_number(*file); pipe != 0)
        report << "pipe:[" << pipe << "]";
    else
        report << (file->operations == &console_operations ? "console:[0]" : "anon_inode:[event]");
    text = {buffer, report.kept()};
    return 0;
}

constexpr Special k_file_link = {.follow = follow_file, .text = file_text};

void refresh_file(Node& directory, FileTable const& files, u64 descriptor) {
    char digits[20];
    Text const name{digits, decimal(digits, descriptor)};
    Entry* const entry = vfs::child(&directory, name);
    bool const open = files.at(descriptor) != nullptr;
    if (entry != nullptr && !open) vfs::remove(entry);
    if (entry != nullptr || !open) return;
    Node* const node = vfs::make(&directory, name, k_type_link | 0700);
    if (node == nullptr) return;
    node->special = &k_file_link;
    node->device = directory.device | descriptor << 32;
}

void refresh_files_of(Node& directory, Text wanted) {
    Process* const process = process_of(directory);
    if (process == nullptr) return;
    if (files_of(*process) == nullptr) return;
    FileTable const& files = *files_of(*process);
    if (!wanted.empty()) {
        u64 const descriptor = number_of(wanted);
        if (descriptor < FileTable::k_files) refresh_file(directory, files, descriptor);
        return;
    }
    for (Entry* entry = directory.newest; entry != nullptr;) {
        Entry* const older = entry->older;
        if (files.at(entry->node->device >> 32) == nullptr) vfs::remove(entry);
        entry = older;
    }
    for (u32 i = files.end(); i-- > 0;) // the newest is listed first
        if (files.at(i) != nullptr) refresh_file(directory, files, i);
}

constexpr Special k_files = {.refresh = refresh_files_of, .changes = true};

// ---- The directory

void refresh(Node& directory, Text wanted) {
    for (Link const& link : k_links) {
        if (!is_missing(directory, wanted, link.name)) continue;
        Node* const node = vfs::make_static(&directory, link.name, k_type_link | 0777);
        if (node == nullptr) return;
        node->special = &link.special;
        node->device = directory.device;
    }
    if (is_missing(directory, wanted, "fd")) {
        Node* const node = vfs::make_static(&directory, "fd", k_type_directory | 0500);
        if (node == nullptr) return;
        node->special = &k_files;
        node->device = directory.device;
    }
    refresh_files(directory, wanted, process_files);
}

} // namespace

Special const process_directory = {.refresh = refresh};

Source const process_files[] = {
    {"stat", write_stat}, {"status", write_status},   {"statm", write_statm},
    {"comm", write_comm}, {"cmdline", write_cmdline}, {"environ", write_environ},
    {"maps", write_maps}, {"mounts", write_mounts},   {},
};

OpenFile* file_behind(Node const* link) {
    return link->special == &k_file_link ? open_file(*link) : nullptr;
}

Process* find_process(u32 pid) {
    return Process::find(pid);
}

Process* next_process(Process* after) {
    return after == nullptr ? Process::first() : after->next;
}

} // namespace iso::guest::procfs
