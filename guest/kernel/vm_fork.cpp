// Address spaces as a whole: the copy for a child, the end, what becomes of files in all of them.
#include "guest/kernel/page_run.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/vm.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

constinit Pool<AddressSpace> spaces("space");

} // namespace

Result AddressSpace::copy_pages(Vma const& area, AddressSpace& child) {
    return for_each_run(table, area.start, area.end, [&](PageRun const& run) -> Result {
        Pte* const leaf = child.table.leaf(run.address, true);
        if (leaf == nullptr) return -ENOMEM;
        bool const downgrade = !area.shared && (run.first & k_pte_write) != 0;
        Pte const entry = downgrade ? run.first & ~k_pte_write : run.first;
        if (frames.is_ram(run.frame())) frames.share(run.frame(), run.count);
        if (downgrade)
            port::protect_run(table, run.address, run.slot, run.count, entry & ~k_pte_frame);
        place_run(child.table, run.address, &leaf[leaf_index(run.address)], entry, run.count);
        return 0;
    });
}

Result AddressSpace::fork(AddressSpace& child) {
    child.break_start_ = break_start_;
    child.break_ = break_;
    child.room_below_ = room_below_;
    child.stack_low_ = stack_low_;
    Result result = 0;
    for (Vma* area = areas_.first(); area != nullptr && result == 0; area = area->next) {
        Vma* const copy = copy_area(*area);
        if (copy == nullptr) {
            result = -ENOMEM;
            break;
        }
        child.areas_.insert(copy);
        result = copy_pages(*area, child);
    }
    port::flush(table, ISO_USER_LOW, ISO_USER_HIGH); // what was writable is not any more
    if (result != 0) child.clear();
    return result;
}

void AddressSpace::cut_views(Node const& file, u64 size) {
    for (Vma* area = areas_.first(); area != nullptr; area = area->next) {
        if (area->file != &file || !area->paged || area->zero_tail) continue;
        u64 const gone_from = page_up(size);
        UserAddr const from =
            area->start + (gone_from > area->file_data ? gone_from - area->file_data : 0);
        if (from < area->end) drop_pages(from, area->end);
    }
}

void cut_all_views(Node const& file, u64 size) {
    for (Process* process = Process::first(); process != nullptr; process = process->next)
        if (process->space != nullptr) process->space->cut_views(file, size);
}

void AddressSpace::release_pages(Vma const& area) {
    for_each_run(table, area.start, area.end, [](PageRun const& run) -> Result {
        // Stores of our own, not the engine's: where page tables are shadowed, they must be seen.
        zero_small(run.slot, run.count * sizeof(Pte));
        if (frames.is_ram(run.frame())) frames.release(run.frame(), run.count);
        return 0;
    });
}

void AddressSpace::clear() {
    // The program does not run between the release of a frame and the end of its translations.
    for (Vma* area = areas_.first(); area != nullptr;) {
        Vma* const next = area->next;
        release_pages(*area);
        drop_area(area);
        area = next;
    }
    areas_ = {};
    break_start_ = break_ = room_below_ = stack_low_ = 0;
    port::forget_space(table);
    table.free_all();
}

AddressSpace* make_space() {
    AddressSpace* const space = spaces.make();
    if (space == nullptr) return nullptr;
    if (port::create_space(space->table)) return space;
    spaces.drop(space);
    return nullptr;
}

void drop_space(AddressSpace* space) {
    if (--space->users != 0) return;
    space->clear();
    if (this_cpu.space == space)
        this_cpu.dropped = space;
    else
        free_space(space);
}

void free_space(AddressSpace* space) {
    port::destroy_space(space->table);
    if (space != &first_space) spaces.drop(space);
}

} // namespace iso::guest
