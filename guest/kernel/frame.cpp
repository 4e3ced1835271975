#include "guest/kernel/frame.hpp"

#include "guest/port/port.hpp"

namespace iso::guest {

FrameAllocator frames;

void FrameAllocator::init(Gpa first, u64 ram_bytes) {
    end_ = page_down(ram_bytes);
    table_ = linear<Info>(first);
    fresh_ = page_up(first + (end_ >> k_page_bits) * sizeof(Info));
    if (fresh_ > end_) fresh_ = end_;
    start_ = fresh_;
    // Few programs need more than this: the others ask once for a lot.
    constexpr u64 k_unannounced = 64 * k_page;
    ready_ = port::populates() ? smaller(end_, fresh_ + k_unannounced) : end_;
    total_ = (end_ - fresh_) >> k_page_bits;
}

// A freed run serves when it is long enough; shorter ones are left to single frames, unless there
// is nothing else.
bool FrameAllocator::prefers_freed(u32 want) const {
    return dirty_ != 0 && (table_[dirty_].value >= want / 2 || fresh_ >= end_);
}

FrameRun FrameAllocator::take_zeroed_slowly(u32 want) {
    if (zeroed_ != 0 && (want == 1 || (dirty_ == 0 && fresh_ >= end_)))
        return handed_out(take_listed(zeroed_, want));
    if (prefers_freed(want)) {
        FrameRun const run = handed_out(take_listed(dirty_, want));
        port::zero(run.first, run.count * k_page);
        return run;
    }
    return handed_out(take_fresh(want));
}

FrameRun FrameAllocator::take(u32 want) {
    if (prefers_freed(want)) return handed_out(take_listed(dirty_, want));
    if (fresh_ < end_) return handed_out(take_fresh(want));
    if (zeroed_ != 0) return handed_out(take_listed(zeroed_, want));
    return {};
}

// The end of the first run that is long enough.
Gpa FrameAllocator::take_from_run(u32& list, u32 want) {
    for (u32* link = &list; *link != 0; link = &table_[*link].next) {
        Info& run = table_[*link];
        if (run.value < want) continue;
        Gpa const first = static_cast<Gpa>(*link + run.value - want) << k_page_bits;
        run.value -= want;
        if (run.value == 0) {
            *link = run.next;
            run.next = 0;
        }
        return first;
    }
    return 0;
}

// Freed runs are listed as they come, in pieces: only when no piece is long enough, neighbours are
// made one. A pass over the whole table, so not done for every frame that is freed.
void FrameAllocator::join_neighbours() {
    constexpr u32 k_free = 1u << 31; // in `value`, while this runs
    u32 const lists[] = {dirty_, zeroed_};
    for (u32 const list : lists)
        for (u32 number = list; number != 0; number = table_[number].next)
            table_[number].value |= k_free;
    dirty_ = zeroed_ = 0; // what was zeroed goes to the others: it may join one of them
    auto const end = static_cast<u32>(fresh_ >> k_page_bits);
    u32 last = 0;
    for (auto number = static_cast<u32>(start_ >> k_page_bits); number < end;) {
        Info& entry = table_[number];
        if ((entry.value & k_free) == 0) {
            last = 0;
            ++number;
            continue;
        }
        u32 const count = entry.value & ~k_free;
        if (last != 0) {
            table_[last].value += count;
            entry = {};
        } else {
            last = number;
            entry = {count, dirty_};
            dirty_ = number;
        }
        number += count;
    }
}

Gpa FrameAllocator::take_contiguous(u32 want) {
    Gpa first = take_from_run(dirty_, want);
    if (first == 0 && (end_ - fresh_) >> k_page_bits >= want) {
        first = take_fresh(want).first;
    }
    if (first == 0) first = take_from_run(zeroed_, want);
    if (first == 0 && available() >= want) {
        join_neighbours();
        first = take_from_run(dirty_, want);
    }
    if (first != 0) handed_out({first, want});
    return first;
}

// As much again as is in use, within reason: where the host's memory comes page by page, each page
// costs an exit of its own.
void FrameAllocator::make_ready(Gpa end) {
    constexpr u64 k_least = 256, k_most = 4096;
    u64 const ahead = larger(k_least, smaller(k_most, used_)) * k_page;
    Gpa const from = larger(ready_, fresh_);
    ready_ = smaller(end_, larger(end, from + ahead));
    port::populate(from, ready_ - from);
}

FrameRun FrameAllocator::take_fresh(u32 want) {
    if (fresh_ + want * k_page > ready_ && ready_ < end_) make_ready(fresh_ + want * k_page);
    u64 const left = (end_ - fresh_) >> k_page_bits;
    if (fresh_ >= end_) return {};
    FrameRun const run{fresh_, static_cast<u32>(smaller<u64>(want, left))};
    fresh_ += run.count * k_page;
    return run;
}

FrameRun FrameAllocator::take_listed(u32& list, u32 want) {
    u32 const head = list;
    Info& free = table_[head];
    if (free.value <= want) {
        list = free.next;
        FrameRun const run{static_cast<Gpa>(head) << k_page_bits, free.value};
        free.value = 0;
        return run;
    }
    // Keep the front of the run listed and hand out its end.
    free.value -= want;
    return {static_cast<Gpa>(head + free.value) << k_page_bits, want};
}

// Counts of frames that were never shared are 0 and stay so: nothing is stored per frame.
FrameRun FrameAllocator::handed_out(FrameRun run) {
    used_ += run.count;
    auto& most = linear<iso_counters>(ISO_COUNTERS_GPA)->frames_used;
    if (used_ > most) most = used_;
    return run;
}

void FrameAllocator::put(u32& list, Gpa first, u32 count) {
    Info& entry = info(first);
    entry.value = count;
    entry.next = list;
    list = static_cast<u32>(first >> k_page_bits);
    used_ -= count;
}

void FrameAllocator::release(Gpa first, u32 count) {
    Info* entry = &info(first);
    Info* const end = entry + count;
    while (entry != end) {
        Info* const run = entry; // of frames that nobody holds any more; four at a time
        while (end - entry >= 4 &&
               (entry[0].value | entry[1].value | entry[2].value | entry[3].value) == 0)
            entry += 4;
        while (entry != end && entry->value == 0)
            ++entry;
        if (entry != run)
            put(dirty_, static_cast<Gpa>(run - table_) << k_page_bits,
                static_cast<u32>(entry - run));
        for (; entry != end && entry->value != 0; ++entry)
            --entry->value;
    }
}

// The youngest stand first, and go first as a rule.
void FrameAllocator::unchain(u32& head, Gpa frame) {
    auto const number = static_cast<u32>(frame >> k_page_bits);
    u32* link = &head;
    while (*link != number)
        link = &table_[*link].next;
    *link = table_[number].next;
    table_[number] = {};
}

void FrameAllocator::release_chain(u32& head) {
    while (head != 0) {
        u32 const number = head;
        Info& entry = table_[number];
        head = entry.next;
        *linear<u64>(u64{entry.value} * 8) = 0;
        entry = {};
        put(zeroed_, static_cast<Gpa>(number) << k_page_bits, 1);
    }
}

void FrameAllocator::release_zeroed(Gpa frame) {
    put(zeroed_, frame, 1);
}

} // namespace iso::guest
