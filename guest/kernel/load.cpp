// Loading a program: its segments become areas, its stack is mapped, and nothing is copied or read
// before it is touched.
#include "guest/kernel/exec.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

Result map_segments(AddressSpace& memory, ElfImage const& image, Node& file, Vma* areas) {
    bool const paged = is_paged(file);
    Gpa const data = paged ? 0 : file.data;
    Segment const* segment = image.segments;
    for (auto const* const end = segment + image.segment_count; segment != end; ++segment) {
        Vma* const area = areas != nullptr ? areas++ : copy_area({});
        if (area == nullptr) return -ENOMEM;
        area->start = segment->start;
        area->end = segment->end;
        area->protection = segment->protection;
        area->zero_tail = segment->zero_tail;
        if (segment->file_bytes != 0) {
            area->file = &file;
            if (areas == nullptr) vfs::hold(&file); // the first process's are counted already
            area->file = &file;
            area->paged = paged;
            area->file_data = data + segment->file_offset;
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
// one buffer.
FrameRun make_stack(StackContents const& contents, UserAddr& pointer) {
    u64 const bytes = page_up(stack_size(contents));
    auto const pages = static_cast<u32>(bytes >> k_page_bits);
    Gpa const first = frames.take_contiguous(pages);
    if (first == 0) return {};
    u64 const used = stack_size(contents);
    port::zero(first, bytes - used); // what others left there is not the program's business
    zero_small(linear(first) + bytes - used, used);
    pointer = build_stack(linear(first) + bytes, k_stack_top, contents);
    return {first, pages};
}

Result map_stack(AddressSpace& memory, FrameRun run, Vma& area) {
    if (run.count == 0) return -ENOMEM;
    u64 const bytes = run.count * k_page;
    memory.add_stack(area, k_stack_top, bytes);
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

void set_start(TrapFrame& frame, UserAddr entry, UserAddr stack) {
    frame = {};
    frame.trap.rip = entry;
    frame.trap.cs = ISO_USER_CS;
    frame.trap.rflags = k_user_flags;
    frame.trap.rsp = stack;
    frame.trap.ss = ISO_USER_DS;
}

} // namespace iso::guest
