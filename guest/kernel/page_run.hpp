#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/pagetable.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

/// Neighbouring entries of one leaf table with neighbouring frames and equal rights.
struct PageRun {
    UserAddr address;
    Pte* slot;
    Pte first;
    u32 count;

    Gpa frame() const { return pte_frame(first); }
    Pte rights() const { return first & ~k_pte_frame; }
};

/// Calls visit(run) for all runs in [start, end), upwards, until one returns an error. A visit may
/// change the run's own entries.
template <typename Visit>
Result for_each_run(PageTable& table, UserAddr start, UserAddr end, Visit visit) {
    for (UserAddr address = start; address < end;) {
        UserAddr const stop = smaller((address & ~(k_leaf_bytes - 1)) + k_leaf_bytes, end);
        Pte* slot = table.leaf(address, false);
        if (slot == nullptr) {
            address = stop;
            continue;
        }
        slot += leaf_index(address);
        while (address < stop) {
            if (*slot == 0) {
                address += k_page;
                ++slot;
                continue;
            }
            PageRun run{address, slot, *slot, 0};
            Pte expected = run.first;
            do {
                expected += k_page;
                address += k_page;
                ++slot;
                ++run.count;
                // RAM's last frame and the first module are neighbours, too.
            } while (address < stop && *slot == expected &&
                     pte_frame(expected) != frames.ram_end());
            if (Result const result = visit(run); result != 0) return result;
        }
    }
    return 0;
}

/// port::map_run() for entries that may be without rights (PROT_NONE): the hypervisor has to know
/// their frames all the same.
inline void place_run(PageTable& table, UserAddr address, Pte* slot, Pte first, u32 count) {
    if (pte_present(first)) return port::map_run(table, address, slot, first, count);
    constexpr Pte k_readable = k_pte_present | k_pte_user | k_pte_accessed_dirty;
    port::map_run(table, address, slot, pte_frame(first) | k_readable | k_pte_no_execute, count);
    port::protect_run(table, address, slot, count, first & ~k_pte_frame);
}

} // namespace iso::guest
