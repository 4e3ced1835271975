#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
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

/// How many of the first `limit` entries go on as the first one begins. Unrolled: where ring 0 is
/// emulated, each instruction of the loop counts.
inline u32 run_length(Pte const* slot, u32 limit) {
    Pte const first = *slot;
    u32 count = 1;
    while (count + 4 <= limit) {
        Pte const next = first + count * k_page;
        if (slot[count] != next || slot[count + 1] != next + k_page ||
            slot[count + 2] != next + 2 * k_page || slot[count + 3] != next + 3 * k_page)
            break;
        count += 4;
    }
    while (count < limit && slot[count] == first + count * k_page)
        ++count;
    return count;
}

/// Calls visit(run) for all runs in [start, end), upwards, until one returns an error. A visit may
/// change the run's own entries.
template <typename Visit>
Result for_each_run(PageTable& table, UserAddr start, UserAddr end, Visit visit) {
    for (UserAddr address = start; address < end;) {
        UserAddr const stop = smaller((address & ~(k_leaf_bytes - 1)) + k_leaf_bytes, end);
        Pte* const leaf = table.leaf(address, false);
        while (leaf != nullptr && address < stop) {
            Pte* slot = leaf + leaf_index(address);
            u64 const left = (stop - address) >> k_page_bits;
            u64 const empty = *slot == 0 ? zero_words(slot, left) : 0;
            address += empty * k_page;
            if (empty == left) break;
            slot += empty;
            u32 most = static_cast<u32>(left - empty);
            // RAM's last frame and the first module are neighbours, too.
            Gpa const frame = pte_frame(*slot);
            if (frames.is_ram(frame))
                most =
                    static_cast<u32>(smaller<u64>(most, (frames.ram_end() - frame) >> k_page_bits));
            PageRun const run{address, slot, *slot, run_length(slot, most)};
            address += run.count * k_page;
            if (Result const result = visit(run); result != 0) return result;
        }
        address = stop;
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
