#pragma once

// The seam between the kernel and the machine: everything that differs between running on a
// processor (port/bare) and running on a hypervisor by hypercalls (port/pv). The kernel above this
// line executes no privileged instruction and stores to no page table itself.
//
// Page tables are ordinary x86-64 tables in guest memory on both ports. The kernel finds the slots
// and decides; the port commits: it stores the entries, and makes the processor or the hypervisor
// take notice. A commit is always a run of neighbouring entries of one leaf table, so that a
// hypervisor needs one call for it, and one mapping when the frames are contiguous too.

#include "guest/kernel/block.hpp"
#include "guest/kernel/pagetable.hpp"
#include "guest/kernel/trap.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest::port {

// ---- Start and end
// --------------------------------------------------------------------------------

/// Makes traps arrive in the kernel. Called once, first of all, with interrupts off.
void init(iso_boot_info const& boot);
/// Runs the program at `frame`: the first entry to user mode. Later ones are returns from traps.
[[noreturn]] void enter_user(TrapFrame const& frame);
/// Stops for good; what was to be said has been said through the doorbell.
[[noreturn]] void halt();

// ---- Address spaces
// -------------------------------------------------------------------------------

/// Puts the empty table in `frame` (zeroed) behind an upper-level slot.
void link_table(PageTable& table, Pte* slot, Gpa frame);
/// Takes a table without entries from behind its slot.
void unlink_table(PageTable& table, Pte* slot, Gpa frame);

/// What emptied() takes at once.
inline constexpr u64 k_emptied_bytes = u64{1} << 30U;

/// Fills `count` empty neighbouring slots, the first of which maps `address`: entry i becomes
/// first + i pages. No flush is needed: what was not present is not cached.
void map_run(PageTable& table, UserAddr address, Pte* slot, Pte first, u32 count);
/// Replaces one present entry, and makes the old one forgotten.
void replace(PageTable& table, UserAddr address, Pte* slot, Pte entry);
/// Empties `count` neighbouring slots; then say so with emptied().
void clear_run(PageTable& table, UserAddr address, Pte* slot, u32 count);
/// Nothing is left in [start, end), at most k_emptied_bytes, after clear_run(); translations linger
/// until flush().
void emptied(PageTable& table, UserAddr start, UserAddr end);
/// Makes the translations of [start, end) forgotten after emptied() or a downgrade by store().
void flush(PageTable& table, UserAddr start, UserAddr end);
/// Changes one present entry's permissions; the translation may linger until flush().
void store(PageTable& table, UserAddr address, Pte* slot, Pte entry);
/// Gives `count` neighbouring entries from `slot` on, all of them nonzero, the rights in `flags`
/// (an entry without a frame); their frames stay. Old translations may linger until flush().
void protect_run(PageTable& table, UserAddr address, Pte* slot, u32 count, Pte flags);

/// The address space of the first program: what the machine starts with.
void first_space(PageTable& table);
/// A new, empty user half that shares the kernel's half. False when there is no memory.
bool create_space(PageTable& table);
/// The user half maps nothing any more, whatever its tables say: exec, and the end of a space.
/// Frames that only it reached may be given away when this returns.
void forget_space(PageTable& table);
/// The table's user half is empty; gives its root back.
void destroy_space(PageTable& table);
/// Makes this the current address space.
void switch_space(PageTable const& table);

// ---- The engine outside
// ---------------------------------------------------------------------------

/// The request page; fill it, then ring.
inline iso_doorbell& request() {
    return *linear<iso_doorbell>(ISO_DOORBELL_GPA);
}
/// Hands the request page over; returns its `result`.
i64 ring(iso_operation operation);

// ---- The disk
// ---------------------------------------------------------------------------------------

/// Makes the disk ready, once; there is one (boot_info). False: it does not do what it should.
bool start_disk();
/// Moves all of the runs from or to the disk; done when it returns. 0, or -EIO.
i64 move_blocks(bool write, BlockRun const* runs, u32 count);
/// Everything that was written stays, whatever happens to the host. 0, or -EIO.
i64 flush_disk();

// ---- Memory
// ---------------------------------------------------------------------------------------

/// Copies between guest-physical ranges that do not overlap.
void copy(Gpa to, Gpa from, u64 bytes);
void zero(Gpa to, u64 bytes);
/// Is it worth while to announce the use of frames?
bool populates();
/// The frames will be used soon.
void populate(Gpa first, u64 bytes);

// ---- The processor
// --------------------------------------------------------------------------------

/// The clock that boot_info's multiplier belongs to.
u64 cycles();
/// The program's FS and GS base.
void set_fs_base(u64 base);
u64 fs_base();
void set_gs_base(u64 base);
u64 gs_base();
/// CPUID leaf 1, EDX: what AT_HWCAP reports.
u32 hardware_capabilities();
/// Bytes of one program's floating-point state below, its FS and GS base included. The first 512
/// are FXSAVE's (AMD64 APM volume 2, 11.5.4).
u32 fpu_bytes();
/// The state of the current address space's program, to and from 64-byte aligned kernel memory.
/// What is restored was saved, or passed fpu_sanitize().
void fpu_save(void* to);
void fpu_restore(void const* from);
/// The state that a program starts with.
void fpu_reset();
/// Makes a saved state safe to restore that a program may have changed (in a signal frame). FS and
/// GS base become the current ones: a signal frame does not set them. False: it is none.
bool fpu_sanitize(void* buffer);
/// Where the last page fault was.
u64 fault_address();
/// Where the next trap from user mode builds its frame.
void set_kernel_stack(u64 top);
u64 kernel_stack_top();

// ---- Interrupts
// -----------------------------------------------------------------------------------

void enable_interrupts();
void disable_interrupts();
/// Waits for an interrupt, with interrupts enabled meanwhile.
void idle();
/// CLOCK_MONOTONIC ns; 0: none. One shot: iso_timer_tick() runs when it passes while a program
/// runs, or before the next program does.
void set_timer(u64 deadline_ns);

} // namespace iso::guest::port

// What is hot enough to be inline; found in the folder of the port that is being built.
#include <port_inline.hpp>
