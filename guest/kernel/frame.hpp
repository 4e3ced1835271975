#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

/// Contiguous page frames; `count` 0 when there were none.
struct FrameRun {
    Gpa first = 0;
    u32 count = 0;
};

/// The allocator of page frames, in contiguous runs, with a reference count per frame.
///
/// Frames arrive zeroed, so nothing is touched before it is needed: memory that was never handed
/// out is one number, and the table of counts starts as zeros without being written. Freed frames
/// are kept in two lists of runs, those known to be zero and the others.
class FrameAllocator {
public:
    /// Manages [first, ram_bytes); takes its table from the beginning of that.
    void init(Gpa first, u64 ram_bytes);

    /// One to `want` contiguous frames filled with zeros, each with one reference.
    FrameRun take_zeroed(u32 want) {
        u64 const bytes = u64{want} * k_page;
        if ((dirty_ | zeroed_) != 0 || bytes > ready_ - fresh_) return take_zeroed_slowly(want);
        // Nothing was ever freed that is not in use again: what is in use is the most so far.
        FrameRun const run{fresh_, want};
        fresh_ += bytes;
        used_ += want;
        linear<iso_counters>(ISO_COUNTERS_GPA)->frames_used = used_;
        return run;
    }
    /// The same with any content.
    FrameRun take(u32 want);

    /// `want` contiguous frames with any content; 0 when there are none, however much is free in
    /// smaller pieces.
    Gpa take_contiguous(u32 want);

    /// Drops one reference of each frame of the run; frees those that have none left.
    void release(Gpa first, u32 count);
    /// Gives back one unshared frame that is known to hold only zeros.
    void release_zeroed(Gpa frame);
    /// Counts frames that the engine filled and that the program gets.
    void adopt(u32 count) { used_ += count; }
    /// One reference more to each of `count` neighbours.
    void share(Gpa first, u32 count = 1) {
        Info* entry = &info(first);
        for (; count >= 4; count -= 4, entry += 4) {
            ++entry[0].value;
            ++entry[1].value;
            ++entry[2].value;
            ++entry[3].value;
        }
        for (; count != 0; --count, ++entry)
            ++entry->value;
    }
    u32 references(Gpa frame) { return info(frame).value + 1; }

    /// Page tables of one address space in a list, through their entries here; they are never
    /// shared. `head` is the list, 0 when it is empty; `slot` is the entry that the table hangs
    /// from.
    void chain(u32& head, Gpa frame, Gpa slot) {
        auto const number = static_cast<u32>(frame >> k_page_bits);
        table_[number] = {static_cast<u32>(slot / 8), head};
        head = number;
    }
    void unchain(u32& head, Gpa frame);
    /// Clears the entries that they hang from, and frees all of them. They are empty otherwise.
    void release_chain(u32& head);

    bool is_ram(Gpa gpa) const { return gpa < end_; }
    Gpa ram_end() const { return end_; }
    u64 total() const { return total_; }
    u64 used() const { return used_; }
    u64 most_used() const { return linear<iso_counters>(ISO_COUNTERS_GPA)->frames_used; }
    u64 available() const { return total_ - used_; }

private:
    struct Info {
        // In use: references beyond the first; in a chain: the entry that the table hangs from,
        // counted from 0; first of a free run: its length; else 0.
        u32 value;
        u32 next; // in a chain, or first of a free run: the next one, 0 at the end
    };

    Info& info(Gpa frame) { return table_[frame >> k_page_bits]; }
    FrameRun take_zeroed_slowly(u32 want);
    bool prefers_freed(u32 want) const;
    FrameRun take_listed(u32& list, u32 want);
    Gpa take_from_run(u32& list, u32 want);
    FrameRun take_fresh(u32 want);
    void make_ready(Gpa end);
    FrameRun handed_out(FrameRun run);
    void put(u32& list, Gpa first, u32 count);
    void join_neighbours();

    Info* table_ = nullptr;
    Gpa start_ = 0; // of the first frame
    Gpa fresh_ = 0; // everything from here to end_ was never used
    Gpa ready_ = 0; // up to here the host has been told that it will be
    Gpa end_ = 0;
    u64 total_ = 0;
    u64 used_ = 0;
    u32 dirty_ = 0;
    u32 zeroed_ = 0;
};

extern FrameAllocator frames;

} // namespace iso::guest
