#pragma once

// The operations of port.hpp that are hot: on the bare machine they are an instruction or two.
// Included by port.hpp only.

#include "guest/kernel/memory.hpp"

namespace iso::guest::port {

// One processor's registers serve every program.
inline constexpr bool k_fpu_per_space = false;

inline constexpr Pte k_table_flags =
    k_pte_present | k_pte_write | k_pte_user | k_pte_accessed_dirty;

inline void link_table(PageTable&, Pte* slot, Gpa frame) {
    *slot = frame | k_table_flags;
}

// Unrolled by hand: where ring 0 is emulated, a loop's own instructions are half of its time.
inline void map_run(PageTable&, UserAddr, Pte* slot, Pte first, u32 count) {
    auto const four = [](Pte* at, Pte entry) {
        at[0] = entry;
        at[1] = entry + k_page;
        at[2] = entry + 2 * k_page;
        at[3] = entry + 3 * k_page;
    };
    for (; count >= 8; count -= 8, slot += 8, first += 8 * k_page) {
        four(slot, first);
        four(slot + 4, first + 4 * k_page);
    }
    if (count >= 4) {
        four(slot, first);
        slot += 4;
        first += 4 * k_page;
        count -= 4;
    }
    for (; count != 0; --count, first += k_page)
        *slot++ = first;
}

inline void clear_run(PageTable&, UserAddr, Pte* slot, u32 count) {
    zero_small(slot, count * sizeof(Pte));
}
inline void emptied(PageTable&, UserAddr, UserAddr) {}
inline void store(PageTable&, UserAddr, Pte* slot, Pte entry) {
    *slot = entry;
}

inline void protect_run(PageTable&, UserAddr, Pte* slot, u32 count, Pte flags) {
    for (; count >= 4; count -= 4, slot += 4) {
        slot[0] = pte_frame(slot[0]) | flags;
        slot[1] = pte_frame(slot[1]) | flags;
        slot[2] = pte_frame(slot[2]) | flags;
        slot[3] = pte_frame(slot[3]) | flags;
    }
    for (; count != 0; --count, ++slot)
        *slot = pte_frame(*slot) | flags;
}

inline void replace(PageTable&, UserAddr address, Pte* slot, Pte entry) {
    *slot = entry;
    asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

inline i64 ring(iso_operation operation) {
    iso_doorbell& page = request();
    page.operation = operation;
    asm volatile("outl %0, %1"
                 :
                 : "a"(static_cast<u32>(operation)), "d"(static_cast<u16>(ISO_DOORBELL_PORT))
                 : "memory");
    return page.result;
}

inline u64 cycles() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return u64{high} << 32 | low;
}

inline u64 fault_address() {
    u64 address;
    asm volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}

inline void enable_interrupts() {
    asm volatile("sti" : : : "memory");
}
inline void disable_interrupts() {
    asm volatile("cli" : : : "memory");
}
inline void set_timer(u64 deadline_ns) {
    request().argument[0] = deadline_ns;
    ring(ISO_OP_TIMER);
}
inline void idle() {
    asm volatile("sti; hlt; cli" : : : "memory");
}

} // namespace iso::guest::port
