#pragma once

// The port of the unit tests: an ordinary process, in which the kernel's parts run on an arena of
// memory. Page tables are stored and never loaded. Included by port.hpp only.

#include "guest/kernel/memory.hpp"

namespace iso::guest::port {

/// What the unit tests put in the disk's place.
class HostDisk {
public:
    virtual ~HostDisk() = default;
    virtual bool move(bool write, u64 block, u8* bytes) = 0;
    virtual bool flush() = 0;
};
extern HostDisk* host_disk;

// One processor's registers serve every program.
inline constexpr bool k_fpu_per_space = false;

inline constexpr Pte k_table_flags =
    k_pte_present | k_pte_write | k_pte_user | k_pte_accessed_dirty;

inline void link_table(PageTable&, Pte* slot, Gpa frame) {
    *slot = frame | k_table_flags;
}
inline void map_run(PageTable&, UserAddr, Pte* slot, Pte first, u32 count) {
    for (u32 i = 0; i < count; ++i)
        slot[i] = first + i * k_page;
}
inline void clear_run(PageTable&, UserAddr, Pte* slot, u32 count) {
    zero_small(slot, count * sizeof(Pte));
}
inline void emptied(PageTable&, UserAddr, UserAddr) {}
inline void store(PageTable&, UserAddr, Pte* slot, Pte entry) {
    *slot = entry;
}
inline void protect_run(PageTable&, UserAddr, Pte* slot, u32 count, Pte flags) {
    for (; count != 0; --count, ++slot)
        *slot = pte_frame(*slot) | flags;
}

inline void replace(PageTable&, UserAddr, Pte* slot, Pte entry) {
    *slot = entry;
}
inline i64 ring(iso_operation operation) {
    request().operation = operation;
    return request().result;
}
inline u64 cycles() {
    return 0;
}
inline u64 fault_address() {
    return 0;
}
inline void enable_interrupts() {}
inline void disable_interrupts() {}
inline void idle() {}
inline void set_timer(u64) {}

} // namespace iso::guest::port
