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

// The areas of the first program: there without being allocated, their defaults in the image.
struct FirstAreas {
    Vma segments[ElfImage::k_segments];
    Vma stack;
};
constinit FirstAreas first_areas;

Result map_segments(AddressSpace& memory, ElfImage const& image, Gpa file) {
    Vma* area = first_areas.segments;
    Segment const* segment = image.segments;
    for (auto const* const end = segment + image.segment_count; segment != end; ++segment, ++area) {
        area->start = segment->start;
        area->end = segment->end;
        area->protection = segment->protection;
        area->zero_tail = segment->zero_tail;
        if (segment->file_bytes != 0) {
            area->file = &vfs::program_file;
            area->file_data = file + segment->file_offset;
            area->file_bytes = segment->file_bytes;
        }
        memory.append(*area);
        bool const has_entry = image.entry >= area->start && image.entry < area->end;
        UserAddr const touched = has_entry ? image.entry : area->start;
        if (Result const result = memory.populate(*area, touched); result != 0) return result;
    }
    memory.set_break(image.end);
    return 0;
}

// The stack is built in its frames before they are mapped: they are contiguous, so the kernel sees
// one buffer. Most engines have built it; then only what the program's headers say is missing.
FrameRun make_stack(iso_boot_info const& boot, ElfImage const& image, UserAddr& pointer) {
    if (boot.stack != 0) {
        auto* const pairs = linear<u64>(boot.stack_headers);
        pairs[1] = image.headers;      // AT_PHDR
        pairs[3] = image.header_count; // AT_PHNUM
        pairs[5] = image.entry;        // AT_ENTRY
        pointer = k_stack_top - boot.stack_used;
        auto const pages = static_cast<u32>(boot.stack_bytes >> k_page_bits);
        frames.adopt(pages);
        return {boot.stack, pages};
    }
    StackContents const contents{
        .strings = {linear<char>(boot.arguments), boot.argument_bytes},
        .argument_count = boot.argument_count,
        .environment_count = boot.environment_count,
        .executable = module_path(boot_modules()[0]),
        .random = boot.random,
        .image = &image,
        .uid = boot.host_uid,
        .gid = boot.host_gid,
        .hardware_capabilities = port::hardware_capabilities(),
    };
    u64 const bytes = page_up(stack_size(contents));
    auto const pages = static_cast<u32>(bytes >> k_page_bits);
    FrameRun const run = frames.take_zeroed(pages);
    if (run.count < pages) return {};
    pointer = build_stack(linear(run.first) + bytes, k_stack_top, contents);
    return run;
}

Result map_stack(AddressSpace& memory, FrameRun run) {
    if (run.count == 0) return -ENOMEM;
    u64 const bytes = run.count * k_page;
    memory.add_stack(first_areas.stack, k_stack_top, bytes);
    for (UserAddr address = k_stack_top - bytes; run.count != 0;) { // a run per leaf table
        Pte* const leaf = memory.table.leaf(address, true);
        if (leaf == nullptr) return -ENOMEM;
        u32 const index = leaf_index(address);
        u32 const count = smaller<u32>(run.count, k_table_entries - index);
        port::map_run(memory.table, address, &leaf[index],
                      run.first | k_pte_present | k_pte_user | k_pte_write | k_pte_accessed_dirty |
                          k_pte_no_execute,
                      count);
        address += count * k_page;
        run.first += count * k_page;
        run.count -= count;
    }
    return 0;
}

} // namespace

void run_first_process() {
    iso_boot_info const& boot = boot_info();
    iso_module const& program = boot_modules()[0];
    Process& process = current();
    port::first_space(process.memory.table);
    if ((boot.flags & ISO_BOOT_STDIN_CLOSED) != 0) process.files.close(0);

    static constinit ElfImage image; // too large for comfort on the stack
    if (program.gpa == 0 || read_elf(linear(program.gpa), program.bytes, image) != 0)
        panic("the program is not a static x86-64 executable");
    UserAddr stack = 0;
    if (map_segments(process.memory, image, program.gpa) != 0 ||
        map_stack(process.memory, make_stack(boot, image, stack)) != 0)
        process.kill_out_of_memory();

    static constinit TrapFrame frame{}; // all registers zero, as Linux starts a program
    frame.trap.rip = image.entry;
    frame.trap.cs = ISO_USER_CS;
    frame.trap.rflags = k_user_flags;
    frame.trap.rsp = stack;
    frame.trap.ss = ISO_USER_DS;
    port::enter_user(frame);
}

} // namespace iso::guest
