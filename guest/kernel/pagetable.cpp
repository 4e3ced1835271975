#include "guest/kernel/pagetable.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

Pte* PageTable::find_leaf(UserAddr address, bool create) {
    Pte* table = linear<Pte>(root);
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        Pte* const slot = &table[(address >> shift) & (k_table_entries - 1)];
        if (!pte_present(*slot)) {
            if (!create) return nullptr;
            FrameRun const run = frames.take_zeroed(1);
            if (run.count == 0) return nullptr;
            port::link_table(*this, slot, run.first);
        }
        table = linear<Pte>(pte_frame(*slot));
    }
    cached_region_ = address >> 21;
    cached_leaf_ = table;
    return table;
}

void PageTable::free_tables(UserAddr start, UserAddr end) {
    cached_region_ = ~0ull;
    free_below(linear<Pte>(root), 3, 0, start, end);
}

// Visits the entries of `table` (level 3 is the root) that intersect [start, end).
bool PageTable::free_below(Pte* table, unsigned level, UserAddr base, UserAddr start,
                           UserAddr end) {
    unsigned const shift = 12 + 9 * level;
    u64 const span = 1ull << shift;
    bool freed = false;
    for (u64 i = start > base ? (start - base) >> shift : 0; i < k_table_entries; ++i) {
        UserAddr const low = base + i * span;
        if (low >= end) break;
        if (!pte_present(table[i])) continue;
        Gpa const below = pte_frame(table[i]);
        if (level > 1) freed |= free_below(linear<Pte>(below), level - 1, low, start, end);
        if (low < start || low + span > end) continue;
        port::unlink_table(*this, &table[i], below);
        frames.release_zeroed(below); // all its entries have been cleared
        freed = true;
    }
    return freed;
}

} // namespace iso::guest
