// The pv port: the machine is a hypervisor, asked by hypercalls.
#include "guest/port/port.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/pv/entry.hpp"

namespace iso::guest::port {

using pv::hypercall;

namespace {
u64 stack_top = 0;
} // namespace

void init(iso_boot_info const&) {
    pv::shared_info().upcall_mask = 1;
    hypercall(ISO_HC_SET_TRAP_TABLE, reinterpret_cast<u64>(pv::trap_table()));
    hypercall(ISO_HC_CALLBACK_OP, ISO_CALLBACK_SYSCALL,
              reinterpret_cast<u64>(&pv::syscall_callback));
    hypercall(ISO_HC_CALLBACK_OP, ISO_CALLBACK_EVENT, reinterpret_cast<u64>(&pv::event_callback));
    set_kernel_stack(reinterpret_cast<u64>(iso_boot_stack) + pv::k_kernel_stack_bytes);
}

void enter_user(TrapFrame const& frame) {
    pv::return_to_user(frame);
}

void halt() {
    for (;;)
        hypercall(ISO_HC_SCHED_OP, ISO_SCHED_SHUTDOWN);
}

void unlink_table(PageTable&, Pte* slot, Gpa) {
    *slot = 0;
}

// What clear() and store() asked for is done, and nobody can reach it any more, when this returns.
void flush(PageTable& table, UserAddr, UserAddr) {
    hypercall(ISO_HC_MMU_UPDATE, 0, 0, ISO_MMU_FLUSH, table.asid);
}

// The table in guest memory is for the kernel's own walks; the address space is a process of the
// host.
void first_space(PageTable& table) {
    table.root = ISO_PAGE_TABLES_GPA;
    i64 const space = hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_SPACE);
    if (space < 0) panic("the hypervisor gives no address space");
    table.asid = static_cast<u16>(space);
    switch_space(table);
}

bool create_space(PageTable& table) {
    FrameRun const run = frames.take_zeroed(1);
    if (run.count == 0) return false;
    i64 const space = hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_SPACE);
    if (space < 0) {
        frames.release(run.first, 1);
        return false;
    }
    table.root = run.first;
    table.asid = static_cast<u16>(space);
    return true;
}

void forget_space(PageTable& table) {
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FORGET_SPACE, table.asid);
}

void destroy_space(PageTable& table) {
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, table.asid);
    frames.release(table.root, 1);
}

void switch_space(PageTable const& table) {
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_BASEPTR, table.asid);
}

void copy(Gpa to, Gpa from, u64 bytes) {
    copy_small(linear(to), linear(from), bytes);
}
void zero(Gpa to, u64 bytes) {
    zero_small(linear(to), bytes);
}

// What the mapper maps it brings in.
bool populates() {
    return false;
}
void populate(Gpa, u64) {}

void set_fs_base(u64 base) {
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_SET_FS_BASE, base);
}
u64 fs_base() {
    return static_cast<u64>(hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_GET_FS_BASE));
}
void set_gs_base(u64 base) {
    hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_SET_GS_BASE, base);
}
u64 gs_base() {
    return static_cast<u64>(hypercall(ISO_HC_MMUEXT_OP, ISO_MMUEXT_GET_GS_BASE));
}

// The registers lie in the frame that the host kernel pushed in the program's process: the
// hypervisor copies them from there and to there, and knows how large they are.
u32 fpu_bytes() {
    static u32 bytes = 0;
    if (bytes == 0) bytes = static_cast<u32>(hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_BYTES));
    return bytes;
}
void fpu_save(void* to) {
    hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_SAVE, reinterpret_cast<u64>(to));
}
void fpu_restore(void const* from) {
    hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_RESTORE, reinterpret_cast<u64>(from));
}
void fpu_reset() {
    hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_RESET);
}
bool fpu_sanitize(void* buffer) {
    return hypercall(ISO_HC_FPU_TASKSWITCH, ISO_FPU_SANITIZE, reinterpret_cast<u64>(buffer)) == 0;
}

u32 hardware_capabilities() {
    u32 eax = 1, ebx, ecx = 0, edx;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx;
}

void set_kernel_stack(u64 top) {
    stack_top = top;
    hypercall(ISO_HC_STACK_SWITCH, top);
}
u64 kernel_stack_top() {
    return stack_top;
}

} // namespace iso::guest::port
