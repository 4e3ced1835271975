#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/pagetable.hpp"
#include "guest/kernel/vma.hpp"

namespace iso::guest {

class Thread;

enum class Access : u8 { read, write, execute };

/// How a page fault ended.
enum class FaultResult : u8 {
    served,
    no_access,     // SIGSEGV
    beyond_file,   // SIGBUS
    out_of_memory, // SIGKILL
};

/// The memory of one process: its areas, its page table, and the rules that connect them.
/// Pages appear when they are touched (fault.cpp) and vanish in unmap().
class AddressSpace {
public:
    static constexpr u64 k_stack_bytes = 8 << 20; // what RLIMIT_STACK says
    static constexpr u64 k_stack_guard = 1 << 20; // never mapped below the stack
    static constexpr u32 k_areas_max = 65530;     // as vm.max_map_count on Linux

    PageTable table;

    /// Adds `area` (copied), which must not overlap another. Merges with equal neighbours.
    Result add(Vma const& area);
    /// Finds room for `length` bytes; 0 when there is none.
    UserAddr find_room(u64 length);
    Result unmap(UserAddr start, UserAddr end);
    Result protect(UserAddr start, UserAddr end, u8 protection);
    /// Gives the pages of [start, end) back; they read as zeros, or as the file, afterwards.
    Result forget(UserAddr start, UserAddr end);
    Result resize(UserAddr start, u64 old_bytes, u64 new_bytes, bool may_move);

    void set_break(UserAddr address) { break_start_ = break_ = address; }
    UserAddr move_break(UserAddr address);
    /// Makes the stack area, with `frames` already at its top.
    void add_stack(Vma& stack, UserAddr top, u64 bytes_in_use);

    /// Adds a fresh area behind all others; it stays the caller's memory until it is unmapped.
    void append(Vma& area) { areas_.append(&area); }
    /// Brings in the pages around `address`, which the program is sure to touch: a fault saved.
    Result populate(Vma& area, UserAddr address);

    FaultResult fault(UserAddr address, Access access);
    /// True when all of [start, end) is mapped by areas.
    bool is_mapped(UserAddr start, UserAddr end);
    /// True when no area touches [start, end).
    bool is_free(UserAddr start, UserAddr end) {
        Vma const* const area = areas_.at_or_above(start);
        return area == nullptr || area->start >= end;
    }
    /// False when an area of [start, end) may never become writable.
    bool may_write(UserAddr start, UserAddr end);
    Vma* area_at(UserAddr address) { return areas_.at(address); }
    Vma* first_area() const { return areas_.first(); }

    /// `file` has become shorter: what its views showed behind `size` is gone.
    void cut_views(Node const& file, u64 size);
    /// Makes `child`, which is empty, a copy of this: pages are shared until one side writes.
    Result fork(AddressSpace& child);
    /// Gives everything back; what is left is an empty space.
    void clear();

    u32 users = 1;                  // processes that run in it
    Thread* registers_of = nullptr; // whose floating-point registers the machine keeps with it

private:
    friend class FaultHandler;

    Vma* grow_stack(UserAddr address);
    Vma* split_at(Vma* area, UserAddr address);
    Result isolate(UserAddr start, UserAddr end);
    void drop_pages(UserAddr start, UserAddr end);
    bool move_pages(UserAddr from, UserAddr to, u64 bytes);
    static Pte rights_of(Vma const& area, Gpa frame);
    void protect_pages(Vma const& area);
    void release_pages(Vma const& area);
    Result copy_pages(Vma const& area, AddressSpace& child);

    VmaTree areas_;
    UserAddr break_start_ = 0;
    UserAddr break_ = 0;
    UserAddr room_below_ = 0; // mappings are placed below here, downwards
    UserAddr stack_low_ = 0;  // the stack may grow down to here
};

/// cut_views() in all spaces.
void cut_all_views(Node const& file, u64 size);

/// A fresh area with the properties of `area`, in no tree; nullptr when there is no memory.
Vma* copy_area(Vma const& area);
/// Gives back one that is in no tree any more.
void drop_area(Vma* area);

/// A fresh, empty space; nullptr when there is no memory, or the machine has no more of them.
AddressSpace* make_space();
/// One user less; without any it is cleared, and freed as soon as no processor has it loaded.
void drop_space(AddressSpace* space);
void free_space(AddressSpace* space);

} // namespace iso::guest
