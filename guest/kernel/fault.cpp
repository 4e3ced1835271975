// Demand paging: what a touched page becomes.
//
// Pages of files lie page-aligned in memory already and are mapped where they are, read-only;
// writing to one copies it. Anonymous pages get frames of zeros. Crossing into the kernel is the
// dear part, so a fault brings in neighbours that the program is likely to touch next.
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/vm.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

class FaultHandler {
public:
    FaultHandler(AddressSpace& space, Vma& area, UserAddr address)
        : space_(space)
        , area_(area)
        , page_(page_down(address)) {}

    FaultResult serve(bool write) {
        leaf_ = space_.table.leaf(page_, true);
        if (leaf_ == nullptr) return FaultResult::out_of_memory;
        slot_ = &leaf_[leaf_index(page_)];
        if (area_.paged) return *slot_ != 0 ? write_shared() : paged(write);
        if (area_.file != nullptr && page_ - area_.start < area_.file_bytes) return file(write);
        if (area_.file != nullptr && !area_.zero_tail) return FaultResult::beyond_file;
        return *slot_ == 0 ? anonymous() : write_shared();
    }

private:
    static constexpr u64 k_window = 16 * k_page;
    // The file is in memory already: a page mapped early costs about a fiftieth of a fault.
    static constexpr u64 k_file_window = 64 * k_page;
    // In pages; windows never cross a leaf table. Where a fault costs more than the pages that it
    // brings in, as many as a leaf table has.
    static constexpr u32 k_largest_window = 64;
    static u32 largest_window() { return port::populates() ? k_table_entries : k_largest_window; }

    Pte flags(bool writable) const {
        Pte flags = k_pte_present | k_pte_user | k_pte_accessed_dirty;
        if ((area_.protection & k_prot_exec) == 0) flags |= k_pte_no_execute;
        if (writable && (area_.protection & k_prot_write) != 0) flags |= k_pte_write;
        return flags;
    }

    // How many pages a window from here on has: those that this leaf table maps, below the limit.
    u32 room(u64 window, UserAddr limit) const {
        UserAddr const leaf_end = (page_ & ~(k_leaf_bytes - 1)) + k_leaf_bytes;
        UserAddr const end = smaller(smaller(page_ + window, leaf_end), limit);
        return static_cast<u32>((end - page_) >> k_page_bits);
    }

    // The leading slots that are still empty, at most `limit`; the first is known to be.
    u32 empty_slots(u32 limit) const { return static_cast<u32>(zero_words(slot_, limit)); }

    void commit(UserAddr address, Pte* slot, Pte first, u32 count) {
        port::map_run(space_.table, address, slot, first, count);
        linear<iso_counters>(ISO_COUNTERS_GPA)->pages_mapped += count;
    }

    // Sequential touching gets a window, four times as large each time; a small area gets one too.
    // Touches here and there get one page, and so does everybody when memory runs short.
    u32 wanted(UserAddr limit) {
        if (frames.available() < frames.total() / 8) return 1;
        if (page_ == area_.fault_next) {
            area_.window = smaller(4 * area_.window, largest_window());
        } else if (page_ != area_.start && area_.end - area_.start > k_window) {
            return 1;
        } else if (port::populates()) { // a fault costs more than the pages that it brings
            area_.window = k_largest_window;
        }
        return empty_slots(room(area_.window * k_page, limit));
    }

    FaultResult anonymous() {
        // The part of a program's segment behind its file bytes ends where the area ends, too.
        if (area_.stack) return stack();
        FrameRun const run = frames.take_zeroed(wanted(area_.end));
        if (run.count == 0) return FaultResult::out_of_memory;
        commit(page_, slot_, run.first | flags(true), run.count);
        area_.fault_next = page_ + run.count * k_page;
        return FaultResult::served;
    }

    // Downwards: the frames of the window end with the page that was touched.
    FaultResult stack() {
        u32 below = 0;
        UserAddr const low = larger(page_ & ~(k_window - 1), area_.start);
        if (frames.available() >= frames.total() / 8)
            while (below < 15 && page_ - below * k_page > low &&
                   slot_[-1 - static_cast<int>(below)] == 0)
                ++below;
        FrameRun const run = frames.take_zeroed(below + 1);
        if (run.count == 0) return FaultResult::out_of_memory;
        u32 const lower = run.count - 1;
        commit(page_ - lower * k_page, slot_ - lower, run.first | flags(true), run.count);
        return FaultResult::served;
    }

    FaultResult file(bool write) {
        u64 const offset = page_ - area_.start;
        u64 const bytes = area_.file_bytes - offset; // what the file has from here on
        Gpa const data = area_.file_data + offset;
        // The page in which a segment ends holds other bytes of the file behind it: give a copy.
        bool const partial = bytes < k_page && area_.zero_tail;
        if (*slot_ == 0 && !write && !partial) {
            UserAddr const limit = page_ + (area_.zero_tail ? page_down(bytes) : page_up(bytes));
            commit(page_, slot_, data | flags(false),
                   empty_slots(room(k_file_window, smaller(limit, area_.end))));
            return FaultResult::served;
        }
        if (*slot_ != 0) return write_shared();
        return private_copy(data, smaller(bytes, k_page));
    }

    // A file in frames of RAM: a shared view has its frames, a private one until it writes.
    FaultResult paged(bool write) {
        Node& node = *area_.file;
        u64 const offset = area_.file_data + (page_ - area_.start);
        bool const tail = area_.zero_tail && page_ - area_.start >= page_up(area_.file_bytes);
        if (tail) return anonymous();
        if (offset >= page_up(node.size)) return FaultResult::beyond_file;
        Gpa const frame = file_page(node, offset >> k_page_bits, area_.shared);
        if (frame == k_no_page) return FaultResult::beyond_file;
        if (frame == 0) // a hole, or no room to fill it
            return area_.shared ? FaultResult::out_of_memory : private_copy(0, 0);
        bool const partial = area_.zero_tail && area_.file_bytes - (page_ - area_.start) < k_page;
        if (!area_.shared && (write || partial))
            return private_copy(frame, partial ? area_.file_bytes - (page_ - area_.start) : k_page);
        if (area_.shared && !area_.read_only) file_exposed(node, offset >> k_page_bits);
        frames.share(frame);
        commit(page_, slot_, frame | flags(area_.shared), 1);
        return FaultResult::served;
    }

    // A page of the program's own with the file's bytes, and zeros behind them.
    FaultResult private_copy(Gpa data, u64 bytes) {
        FrameRun const run = bytes == k_page ? frames.take(1) : frames.take_zeroed(1);
        if (run.count == 0) return FaultResult::out_of_memory;
        if (bytes != 0) port::copy(run.first, data, bytes);
        commit(page_, slot_, run.first | flags(true), 1);
        return FaultResult::served;
    }

    // The page is there, but not for writing: it is the file's, or shared with another process.
    FaultResult write_shared() {
        Gpa const old = pte_frame(*slot_);
        if (frames.is_ram(old) && (area_.shared || frames.references(old) == 1)) {
            port::replace(space_.table, page_, slot_, old | flags(true));
            return FaultResult::served;
        }
        FrameRun const run = frames.take(1);
        if (run.count == 0) return FaultResult::out_of_memory;
        port::copy(run.first, old, k_page);
        port::replace(space_.table, page_, slot_, run.first | flags(true));
        if (frames.is_ram(old)) frames.release(old, 1);
        return FaultResult::served;
    }

    AddressSpace& space_;
    Vma& area_;
    UserAddr page_;
    Pte* leaf_ = nullptr;
    Pte* slot_ = nullptr;
};

FaultResult AddressSpace::fault(UserAddr address, Access access) {
    Vma* area = areas_.at(address);
    if (area == nullptr) area = grow_stack(address);
    if (area == nullptr) return FaultResult::no_access;
    u8 const needs = access == Access::write     ? k_prot_write
                     : access == Access::execute ? k_prot_exec
                                                 : k_prot_read | k_prot_exec | k_prot_write;
    if ((area->protection & needs) == 0) return FaultResult::no_access;
    return FaultHandler(*this, *area, address).serve(access == Access::write);
}

// What would be one fault per kind of page is one run here: the file's pages where they are, or
// frames with a copy of them.
Result AddressSpace::populate(Vma& area, UserAddr address) {
    constexpr u64 k_window = 16 * k_page; // never crosses a leaf table
    UserAddr const from = larger(area.start, address & ~(k_window - 1));
    UserAddr const to = smaller(area.end, (from & ~(k_window - 1)) + k_window);
    auto const count = static_cast<u32>((to - from) >> k_page_bits);
    u64 const offset = from - area.start;
    bool const writable = (area.protection & k_prot_write) != 0;
    // Of a read-only segment that goes on with zeros, or has no bytes, faults take care.
    if (area.protection == 0 || area.paged ||
        (!writable && (area.zero_tail || area.file == nullptr)))
        return 0;

    Pte entry = k_pte_present | k_pte_user | k_pte_accessed_dirty;
    if ((area.protection & k_prot_exec) == 0) entry |= k_pte_no_execute;
    Pte* const leaf = table.leaf(from, true);
    if (leaf == nullptr) return -ENOMEM;
    if (writable) {
        FrameRun const run = frames.take_zeroed(count);
        if (run.count < count) { // memory is in pieces: faults will do
            if (run.count != 0) frames.release(run.first, run.count);
            return 0;
        }
        if (area.file_bytes > offset)
            port::copy(run.first, area.file_data + offset,
                       smaller<u64>(area.file_bytes - offset, to - from));
        entry |= run.first | k_pte_write;
        area.fault_next = to;
    } else {
        entry |= area.file_data + offset;
    }
    port::map_run(table, from, &leaf[leaf_index(from)], entry, count);
    return 0;
}

Vma* AddressSpace::grow_stack(UserAddr address) {
    if (address < stack_low_) return nullptr;
    Vma* const stack = areas_.at_or_above(address);
    if (stack == nullptr || !stack->stack) return nullptr;
    // A window at a time, so that a deepening stack faults once per window.
    constexpr u64 k_window = 16 * k_page;
    UserAddr const taken = stack->previous != nullptr ? stack->previous->end : 0;
    stack->start = larger(larger(address & ~(k_window - 1), stack_low_), taken);
    return stack;
}

void Vma::view(Node& node, u64 offset) {
    file = &node;
    paged = is_paged(node);
    file_data = paged ? offset : node.data + offset;
    file_bytes = node.size > offset ? node.size - offset : 0;
}

} // namespace iso::guest
