#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

/// An entry of a page table of any level (AMD64 APM volume 2, 5.3).
using Pte = u64;

inline constexpr Pte k_pte_present = 1;
inline constexpr Pte k_pte_write = 2;
inline constexpr Pte k_pte_user = 4;
// Preset: shadow paging then never has to come back only to set them.
inline constexpr Pte k_pte_accessed_dirty = 0x60;
inline constexpr Pte k_pte_no_execute = 1ull << 63;
inline constexpr Pte k_pte_frame = 0x000ffffffffff000;

inline constexpr u64 k_table_entries = 512;
inline constexpr u64 k_leaf_bytes = k_table_entries * k_page; // what one leaf table maps

constexpr Gpa pte_frame(Pte pte) {
    return pte & k_pte_frame;
}
constexpr bool pte_present(Pte pte) {
    return (pte & k_pte_present) != 0;
}
constexpr unsigned leaf_index(UserAddr address) {
    return static_cast<unsigned>(address >> k_page_bits) & (k_table_entries - 1);
}

/// The page table of one address space, the user half of it.
class PageTable {
public:
    Gpa root = 0;
    u16 asid = 0; // names the address space where the machine has identifiers

    /// The leaf table that maps `address`, or nullptr when there is none (or, with `create`, no
    /// memory).
    Pte* leaf(UserAddr address, bool create) {
        u64 const region = address >> 21;
        Cached const& cached = cached_[region % k_cached];
        return cached.region == region ? cached.leaf : find_leaf(address, create);
    }
    /// The entry of `address`; 0 when nothing is mapped.
    Pte entry(UserAddr address) {
        Pte* const table = leaf(address, false);
        return table == nullptr ? 0 : table[leaf_index(address)];
    }
    /// Frees the tables that lie entirely inside [start, end), which maps nothing any more.
    void free_tables(UserAddr start, UserAddr end);
    /// Frees all of them but the root, which they leave empty. They map nothing any more.
    void free_all();

private:
    Pte* find_leaf(UserAddr address, bool create);
    Pte* extend(UserAddr address, Pte* slot, u32 levels);
    Pte* remember(UserAddr address, Pte* leaf) {
        u64 const region = address >> 21;
        cached_[region % k_cached] = {region, leaf};
        return leaf;
    }
    void forget_cached() {
        for (Cached& cached : cached_)
            cached.region = ~0ull;
    }
    bool free_below(Pte* table, unsigned level, UserAddr base, UserAddr start, UserAddr end);

    // A program works in few regions at a time: its text and data, its heap, its stack.
    struct Cached {
        u64 region = ~0ull;
        Pte* leaf = nullptr;
    };
    static constexpr u64 k_cached = 4;
    Cached cached_[k_cached];
    u32 chain_ = 0; // of all tables below the root (FrameAllocator::chain)
};

} // namespace iso::guest
