#pragma once

// The operations of port.hpp that are hot, by hypercalls. The tables in guest memory are for the
// kernel's own walks; what the program can reach is what the hypervisor was told to map.
// Included by port.hpp only.
#include "guest/kernel/memory.hpp"
#include "guest/port/lazy_timer.hpp"
#include "guest/port/pv/hypercall.hpp"

namespace iso::guest::pv {
extern LazyTimer timer;
} // namespace iso::guest::pv

namespace iso::guest::port {

// Each address space is a process of the host, which keeps its registers while others run.
inline constexpr bool k_fpu_per_space = true;

inline constexpr Pte k_table_flags =
    k_pte_present | k_pte_write | k_pte_user | k_pte_accessed_dirty;

inline void link_table(PageTable&, Pte* slot, Gpa frame) {
    *slot = frame | k_table_flags;
}

inline void update(PageTable const& table, UserAddr address, Pte entry, u64 pages, u64 flags) {
    iso_mmu_update const one = {address, entry, pages};
    pv::hypercall(ISO_HC_MMU_UPDATE, reinterpret_cast<u64>(&one), 1, flags, table.asid);
}

// One call for the run, and one mapping on the host: the frames are neighbours too.
inline void map_run(PageTable& table, UserAddr address, Pte* slot, Pte first, u32 count) {
    for (u32 i = 0; i < count; ++i)
        slot[i] = first + i * k_page;
    update(table, address, first, count, 0);
}

// One unmapping on the host for the range, however many mappings were in it.
inline void clear_run(PageTable&, UserAddr, Pte* slot, u32 count) {
    zero_small(slot, count * sizeof(Pte));
}
inline void emptied(PageTable& table, UserAddr start, UserAddr end) {
    update(table, start, 0, (end - start) >> k_page_bits, 0);
}

inline void store(PageTable& table, UserAddr address, Pte* slot, Pte entry) {
    *slot = entry;
    update(table, address, entry, 1, 0);
}

// One call for the run, and one change on the host, wherever the frames lie.
inline void protect_run(PageTable& table, UserAddr address, Pte* slot, u32 count, Pte flags) {
    for (u32 i = 0; i < count; ++i)
        slot[i] = pte_frame(slot[i]) | flags;
    update(table, address, flags, count, ISO_MMU_PROTECT);
}

inline void replace(PageTable& table, UserAddr address, Pte* slot, Pte entry) {
    *slot = entry;
    update(table, address, entry, 1, ISO_MMU_FLUSH);
}

inline i64 ring(iso_operation operation) {
    iso_doorbell& page = request();
    page.operation = operation;
    pv::hypercall(ISO_HC_DOORBELL, operation);
    return page.result;
}

inline u64 cycles() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return u64{high} << 32 | low;
}

inline u64 fault_address() {
    return pv::shared_info().fault_address;
}

// The virtual interrupt flag is a word in shared memory: no privileged instruction, no trap.
inline void enable_interrupts() {
    pv::shared_info().upcall_mask = 0;
}
inline void disable_interrupts() {
    pv::shared_info().upcall_mask = 1;
}
// A crossing to the monitor costs more than a switch between programs.
inline void set_timer(u64 deadline_ns) {
    if (u64 const device = pv::timer.set(deadline_ns); device != 0)
        pv::hypercall(ISO_HC_SET_TIMER_OP, device);
}
inline void idle() {
    pv::hypercall(ISO_HC_SCHED_OP, ISO_SCHED_BLOCK);
}

} // namespace iso::guest::port
