// The areas of an address space: add, remove, protect, move.
#include "guest/kernel/vm.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/kernel/page_run.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

constinit Pool<Vma> areas_pool("vm_area");

bool alike(Vma const& a, Vma const& b) {
    return a.file == nullptr && b.file == nullptr && a.protection == b.protection &&
           a.stack == b.stack && !a.stack;
}

} // namespace

Vma* copy_area(Vma const& area) {
    Vma* const copy = areas_pool.make();
    if (copy == nullptr) return nullptr;
    *copy = area;
    copy->left = copy->right = copy->previous = copy->next = nullptr;
    copy->fault_next = 0;
    if (copy->file != nullptr) vfs::hold(copy->file);
    return copy;
}

void drop_area(Vma* area) {
    if (area->file != nullptr) vfs::unhold(area->file);
    areas_pool.drop(area);
}

Result AddressSpace::add(Vma const& wanted) {
    Vma* const above = areas_.at_or_above(wanted.start);
    Vma* const below = above != nullptr ? above->previous : areas_.last();
    if (above != nullptr && above->start == wanted.end && alike(*above, wanted)) {
        above->start = wanted.start;
        above->fault_next = 0;
        return 0;
    }
    if (below != nullptr && below->end == wanted.start && alike(*below, wanted)) {
        below->end = wanted.end;
        return 0;
    }
    if (areas_.count() >= k_areas_max) return -ENOMEM;
    Vma* const area = copy_area(wanted);
    if (area == nullptr) return -ENOMEM;
    areas_.insert(area);
    return 0;
}

void AddressSpace::add_stack(Vma& stack, UserAddr top, u64 bytes_in_use) {
    stack_low_ = top - k_stack_bytes;
    room_below_ = stack_low_ - k_stack_guard;
    stack.end = top;
    stack.start = top - page_up(bytes_in_use);
    stack.protection = k_prot_read | k_prot_write;
    stack.stack = true;
    append(stack);
}

// Downwards from below the stack; when something is in the way there, or the addresses have been
// used up once, the highest hole that is large enough.
UserAddr AddressSpace::find_room(u64 length) {
    constexpr UserAddr lowest =
        0x10000000000; // leave the addresses below to programs and their heap
    if (room_below_ >= lowest + length) {
        Vma const* const area = areas_.at_or_above(room_below_ - length);
        if (area == nullptr || area->start >= room_below_) return room_below_ -= length;
    }
    UserAddr top = stack_low_ - k_stack_guard;
    for (Vma* area = areas_.last(); area != nullptr; area = area->previous) {
        if (area->start >= top) continue;
        if (area->end <= top && top - area->end >= length) return top - length;
        top = area->start;
    }
    return top >= ISO_USER_LOW + length ? top - length : 0;
}

// Makes `address` a border: splits the area that crosses it. Returns the upper part.
Vma* AddressSpace::split_at(Vma* area, UserAddr address) {
    if (areas_.count() >= k_areas_max) return nullptr;
    Vma* const upper = copy_area(*area);
    if (upper == nullptr) return nullptr;
    u64 const offset = address - area->start;
    upper->start = address;
    if (area->file != nullptr) {
        upper->file_data += offset;
        upper->file_bytes = area->file_bytes > offset ? area->file_bytes - offset : 0;
        area->file_bytes = smaller(area->file_bytes, offset);
    }
    area->end = address;
    areas_.insert(upper);
    return upper;
}

// Makes both ends borders of areas.
Result AddressSpace::isolate(UserAddr start, UserAddr end) {
    UserAddr const borders[] = {start, end};
    for (UserAddr const border : borders) {
        Vma* const area = areas_.at(border);
        if (area != nullptr && area->start != border && split_at(area, border) == nullptr)
            return -ENOMEM;
    }
    return 0;
}

Result AddressSpace::unmap(UserAddr start, UserAddr end) {
    if (Vma* const any = areas_.at_or_above(start); any == nullptr || any->start >= end) return 0;
    if (Result const result = isolate(start, end); result != 0) return result;
    for (Vma* area = areas_.at_or_above(start); area != nullptr && area->start < end;) {
        Vma* const next = area->next;
        drop_pages(area->start, area->end);
        areas_.remove(area);
        drop_area(area);
        area = next;
    }
    // Tables that no area reaches into any more. Only what the range itself covers: an upper table
    // may stay behind empty, one page for each GiB of addresses, until the process ends.
    Vma* const above = areas_.at_or_above(start);
    Vma* const below = above != nullptr ? above->previous : areas_.last();
    UserAddr const floor = below != nullptr ? below->end : 0;
    UserAddr const ceiling = above != nullptr ? above->start : ISO_KERNEL_BASE;
    constexpr u64 leaf = k_leaf_bytes;
    UserAddr const first = larger(start & ~(leaf - 1), (floor + leaf - 1) & ~(leaf - 1));
    UserAddr const last = smaller((end + leaf - 1) & ~(leaf - 1), ceiling & ~(leaf - 1));
    if (first < last) table.free_tables(first, last);
    if (start == room_below_) room_below_ = smaller(ceiling, stack_low_ - k_stack_guard);
    return 0;
}

namespace {

// Gathers what was emptied in a range, so that one commit does for many entries.
class Emptied {
public:
    explicit Emptied(PageTable& table)
        : table_(table) {}
    void add(UserAddr start, UserAddr end) {
        if (start_ == 0) {
            start_ = start;
        } else if (end - start_ > port::k_emptied_bytes) {
            port::emptied(table_, start_, end_);
            start_ = start;
        }
        end_ = end;
    }
    // One processor: nothing runs between the release of frames and this.
    void flush(UserAddr start, UserAddr end) {
        if (start_ == 0) return;
        port::emptied(table_, start_, end_);
        port::flush(table_, start, end);
    }

private:
    PageTable& table_;
    UserAddr start_ = 0; // 0: nothing was
    UserAddr end_ = 0;
};

} // namespace

void AddressSpace::drop_pages(UserAddr start, UserAddr end) {
    Emptied emptied(table);
    for_each_run(table, start, end, [&](PageRun const& run) -> Result {
        port::clear_run(table, run.address, run.slot, run.count);
        emptied.add(run.address, run.address + run.count * k_page);
        if (frames.is_ram(run.frame())) frames.release(run.frame(), run.count);
        return 0;
    });
    emptied.flush(start, end);
}

Result AddressSpace::forget(UserAddr start, UserAddr end) {
    bool const all = is_mapped(start, end);
    for (Vma* area = areas_.at_or_above(start); area != nullptr && area->start < end;
         area = area->next) {
        drop_pages(larger(start, area->start), smaller(end, area->end));
        area->fault_next = 0;
    }
    return all ? 0 : -ENOMEM;
}

bool AddressSpace::is_mapped(UserAddr start, UserAddr end) {
    while (start < end) {
        Vma const* const area = areas_.at(start);
        if (area == nullptr) return false;
        start = area->end;
    }
    return true;
}

bool AddressSpace::may_write(UserAddr start, UserAddr end) {
    for (Vma const* area = areas_.at_or_above(start); area != nullptr && area->start < end;
         area = area->next)
        if (area->read_only) return false;
    return true;
}

// What the area allows on this frame: writing only where nobody else has it.
Pte AddressSpace::rights_of(Vma const& area, Gpa frame) {
    Pte rights = k_pte_accessed_dirty;
    if (area.protection != 0) rights |= k_pte_present | k_pte_user;
    if ((area.protection & k_prot_exec) == 0) rights |= k_pte_no_execute;
    bool const ours = frames.is_ram(frame) && (area.shared || frames.references(frame) == 1);
    if ((area.protection & k_prot_write) != 0 && ours) rights |= k_pte_write;
    return rights;
}

void AddressSpace::protect_pages(Vma const& area) {
    for_each_run(table, area.start, area.end, [&](PageRun const& run) -> Result {
        for (u32 i = 0; i < run.count;) {
            Pte const rights = rights_of(area, run.frame() + i * k_page);
            u32 const start = i++;
            while (i < run.count && rights_of(area, run.frame() + i * k_page) == rights)
                ++i;
            if (rights != run.rights())
                port::protect_run(table, run.address + start * k_page, run.slot + start, i - start,
                                  rights);
        }
        return 0;
    });
}

Result AddressSpace::protect(UserAddr start, UserAddr end, u8 protection) {
    if (!is_mapped(start, end)) return -ENOMEM;
    if (Result const result = isolate(start, end); result != 0) return result;
    for (Vma* area = areas_.at(start); area != nullptr && area->start < end; area = area->next) {
        area->protection = protection;
        protect_pages(*area);
    }
    port::flush(table, start, end);
    return 0;
}

UserAddr AddressSpace::move_break(UserAddr address) {
    if (address < break_start_ || address > ISO_USER_HIGH) return break_;
    UserAddr const old_end = page_up(break_);
    UserAddr const new_end = page_up(address);
    if (new_end > old_end) {
        Vma const* const above = areas_.at_or_above(old_end);
        if (new_end > ISO_USER_HIGH || (above != nullptr && above->start < new_end + k_page) ||
            new_end - old_end > frames.total() * k_page)
            return break_;
        Vma heap;
        heap.start = old_end;
        heap.end = new_end;
        heap.protection = k_prot_read | k_prot_write;
        if (add(heap) != 0) return break_;
    } else if (new_end < old_end && unmap(new_end, old_end) != 0) {
        return break_;
    }
    return break_ = address;
}

Result AddressSpace::resize(UserAddr start, u64 old_bytes, u64 new_bytes, bool may_move) {
    Vma* const area = areas_.at(start);
    if (area == nullptr || start + old_bytes > area->end) return -EFAULT;
    UserAddr const old_end = start + old_bytes;
    if (new_bytes <= old_bytes) {
        Result const result = unmap(start + new_bytes, old_end);
        return result != 0 ? result : static_cast<Result>(start);
    }
    u64 const growth = new_bytes - old_bytes;
    if (growth > frames.total() * k_page) return -ENOMEM;
    bool const at_end = old_end == area->end;
    UserAddr const ceiling = area->next != nullptr ? area->next->start : ISO_USER_HIGH;
    if (at_end && ceiling >= old_end && ceiling - old_end >= growth) {
        area->end += growth;
        return static_cast<Result>(start);
    }
    if (!may_move) return -ENOMEM;

    Vma moved = *area;
    UserAddr const to = find_room(new_bytes);
    if (to == 0) return -ENOMEM;
    u64 const offset = start - area->start;
    moved.file_data += area->file != nullptr ? offset : 0;
    moved.file_bytes = area->file_bytes > offset ? area->file_bytes - offset : 0;
    moved.start = to;
    moved.end = to + new_bytes;
    moved.stack = false;
    moved.fault_next = 0;
    if (Result const result = isolate(start, old_end); result != 0) return result;
    if (Result const result = add(moved); result != 0) return result;
    if (!move_pages(start, to, old_bytes)) {
        unmap(to, to + new_bytes);
        return -ENOMEM;
    }
    if (Result const result = unmap(start, old_end); result != 0) return result;
    return static_cast<Result>(to);
}

// False when there is no memory for the tables; nothing is moved then.
bool AddressSpace::move_pages(UserAddr from, UserAddr to, u64 bytes) {
    for (u64 offset = 0; offset < bytes; offset += k_page)
        if (table.entry(from + offset) != 0 && table.leaf(to + offset, true) == nullptr)
            return false;
    Emptied emptied(table);
    for (u64 offset = 0; offset < bytes; offset += k_page) {
        Pte* const source = table.leaf(from + offset, false);
        if (source == nullptr) continue;
        Pte* const slot = &source[leaf_index(from + offset)];
        if (*slot == 0) continue;
        Pte* const target = table.leaf(to + offset, true);
        place_run(table, to + offset, &target[leaf_index(to + offset)], *slot, 1);
        port::clear_run(table, from + offset, slot, 1);
        emptied.add(from + offset, from + offset + k_page);
    }
    emptied.flush(from, from + bytes);
    return true;
}

} // namespace iso::guest
