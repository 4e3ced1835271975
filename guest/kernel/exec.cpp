// Loading a program: its segments become areas, its stack is built, and nothing is copied or read
// before it is touched.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/stack_builder.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

constexpr UserAddr k_stack_top = ISO_USER_HIGH;

Result map_segments(AddressSpace& memory, ElfImage const& image, Gpa file) {
    for (u32 i = 0; i < image.segment_count; ++i) {
        Segment const& segment = image.segments[i];
        Vma area;
        area.start = segment.start;
        area.end = segment.end;
        area.protection = segment.protection;
        area.zero_tail = true;
        if (segment.file_bytes != 0) {
            area.file = vfs::program_node();
            area.file_data = file + segment.file_offset;
            area.file_bytes = segment.file_bytes;
        }
        if (Result const result = memory.add(area); result != 0) return result;
    }
    memory.set_break(image.end);
    return 0;
}

// The stack is built in its frames before they are mapped: they are contiguous, so the kernel sees
// one buffer.
Result map_stack(AddressSpace& memory, StackContents const& contents, UserAddr& pointer) {
    u64 const bytes = page_up(stack_size(contents));
    auto const pages = static_cast<u32>(bytes >> k_page_bits);
    FrameRun const run = frames.take_zeroed(pages);
    if (run.count < pages) return -ENOMEM;
    pointer = build_stack(linear(run.first) + bytes, k_stack_top, contents);
    if (Result const result = memory.add_stack(k_stack_top, bytes); result != 0) return result;
    for (u32 i = 0; i < pages;) { // a run per leaf table
        UserAddr const address = k_stack_top - bytes + i * k_page;
        Pte* const leaf = memory.table.leaf(address, true);
        if (leaf == nullptr) return -ENOMEM;
        u32 const count = smaller<u32>(pages - i, k_table_entries - leaf_index(address));
        port::map_run(memory.table, address, &leaf[leaf_index(address)],
                      (run.first + i * k_page) | k_pte_present | k_pte_user | k_pte_write |
                          k_pte_accessed_dirty | k_pte_no_execute,
                      count);
        i += count;
    }
    return 0;
}

void set_name(Process& process, Text path) {
    u64 start = path.size;
    while (start > 0 && path[start - 1] != '/')
        --start;
    copy_small(process.name, path.data + start,
               smaller<u64>(path.size - start, sizeof process.name - 1));
}

} // namespace

void run_first_process() {
    iso_boot_info const& boot = boot_info();
    iso_module const& program = boot_modules()[0];
    Process& process = current();
    process.memory.table.root = ISO_PAGE_TABLES_GPA; // the engine's table: its user half is empty
    process.files.open_console((boot.flags & ISO_BOOT_STDIN_CLOSED) == 0);

    static ElfImage image; // too large for comfort on the stack
    Text const path = module_path(program);
    if (program.gpa == 0 || read_elf(linear(program.gpa), program.bytes, image) != 0)
        panic("the program is not a static x86-64 executable");
    set_name(process, path);
    StackContents const contents{
        .strings = {linear<char>(boot.arguments), boot.argument_bytes},
        .argument_count = boot.argument_count,
        .environment_count = boot.environment_count,
        .executable = path,
        .random = boot.random,
        .image = &image,
        .uid = boot.host_uid,
        .gid = boot.host_gid,
        .hardware_capabilities = port::hardware_capabilities(),
    };
    UserAddr stack = 0;
    if (map_segments(process.memory, image, program.gpa) != 0 ||
        map_stack(process.memory, contents, stack) != 0)
        process.kill_out_of_memory();

    static TrapFrame frame; // all registers zero, as Linux starts a program
    frame.trap.rip = image.entry;
    frame.trap.cs = ISO_USER_CS;
    frame.trap.rflags = k_user_flags;
    frame.trap.rsp = stack;
    frame.trap.ss = ISO_USER_DS;
    port::enter_user(frame);
}

} // namespace iso::guest
