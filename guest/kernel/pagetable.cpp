#include "guest/kernel/pagetable.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

Pte* slot_in(Gpa table, UserAddr address, unsigned shift) {
    return &linear<Pte>(table)[(address >> shift) & (k_table_entries - 1)];
}

} // namespace

// Written out level by level: a loop's own instructions would double it.
Pte* PageTable::find_leaf(UserAddr address, bool create) {
    Pte* slot = slot_in(root, address, 39);
    if (!pte_present(*slot)) return create ? extend(address, slot, 3) : nullptr;
    slot = slot_in(pte_frame(*slot), address, 30);
    if (!pte_present(*slot)) return create ? extend(address, slot, 2) : nullptr;
    slot = slot_in(pte_frame(*slot), address, 21);
    if (!pte_present(*slot)) return create ? extend(address, slot, 1) : nullptr;
    return remember(address, linear<Pte>(pte_frame(*slot)));
}

// Puts `levels` new tables below `slot`, the lowest of which is the leaf.
Pte* PageTable::extend(UserAddr address, Pte* slot, u32 levels) {
    FrameRun run;
    for (u32 level = levels;;) {
        if (run.count == 0) run = frames.take_zeroed(level);
        if (run.count == 0) return nullptr;
        Gpa const table = run.first;
        port::link_table(*this, slot, table);
        frames.chain(chain_, table, gpa_of(slot));
        if (--level == 0) return remember(address, linear<Pte>(table));
        slot = slot_in(table, address, 12 + 9 * level);
        run.first += k_page;
        --run.count;
    }
}

void PageTable::free_tables(UserAddr start, UserAddr end) {
    forget_cached();
    free_below(linear<Pte>(root), 3, 0, start, end);
}

void PageTable::free_all() {
    forget_cached();
    frames.release_chain(chain_);
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
        frames.unchain(chain_, below);
        frames.release_zeroed(below); // all its entries have been cleared
        freed = true;
    }
    return freed;
}

} // namespace iso::guest
