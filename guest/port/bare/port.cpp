// The bare port: the machine as it is.
#include "guest/port/port.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/bare/cpu.hpp"
#include "guest/port/bare/layout.h"

extern "C" [[noreturn]] void iso_return_to_user(iso::guest::TrapFrame const* frame);

namespace iso::guest::port {

namespace {

enum Msr : u32 {
    msr_star = 0xc0000081,
    msr_lstar = 0xc0000082,
    msr_sfmask = 0xc0000084,
    msr_fs_base = 0xc0000100,
    msr_gs_base = 0xc0000101,
};

bool host_copies = false; // ring 0 is emulated: the engine copies better
constexpr u64 k_host_copy_bytes = 512;

void write_msr(Msr msr, u64 value) {
    asm volatile("wrmsr"
                 :
                 : "c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)));
}

u64 read_msr(Msr msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return u64{high} << 32 | low;
}

struct Cpuid {
    u32 eax, ebx, ecx, edx;
};

Cpuid cpuid(u32 leaf) {
    Cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

Gpa current_root = ISO_PAGE_TABLES_GPA;

void load_root(Gpa root) {
    asm volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

// Without address space identifiers, a space that is not current has nothing cached.
void forget_all(PageTable const& table) {
    if (table.root == current_root) load_root(table.root);
}

} // namespace

void init(iso_boot_info const& boot) {
    host_copies = (boot.flags & ISO_BOOT_HOST_COPY) != 0;
    asm volatile("lgdt %0" : : "m"(bare::k_gdt_pointer));
    asm volatile("lidt %0" : : "m"(bare::k_idt_pointer));
    asm volatile("ltr %0" : : "r"(bare::k_tss_selector));
    write_msr(msr_star, u64{ISO_STAR_USER} << 48 | u64{ISO_KERNEL_CS} << 32);
    write_msr(msr_lstar, ISO_TEXT_BASE);
    write_msr(msr_sfmask, 0x47700); // TF IF DF IOPL NT AC
}

void enter_user(TrapFrame const& frame) {
    iso_return_to_user(&frame);
}

void halt() {
    for (;;)
        asm volatile("cli; hlt");
}

void unlink_table(PageTable& table, Pte* slot, Gpa) {
    *slot = 0;
    forget_all(table); // upper-level entries may be cached for any address below them
}

void flush(PageTable& table, UserAddr start, UserAddr end) {
    constexpr u64 k_flush_all = 32 * k_page;
    if (end - start > k_flush_all) return forget_all(table);
    for (; start < end; start += k_page)
        asm volatile("invlpg (%0)" : : "r"(start) : "memory");
}

// The engine made one for the start; its user half is empty.
void first_space(PageTable& table) {
    table.root = ISO_PAGE_TABLES_GPA;
}

bool create_space(PageTable& table) {
    FrameRun const run = frames.take_zeroed(1);
    if (run.count == 0) return false;
    constexpr u64 kernel_entry = ISO_KERNEL_BASE >> 39;
    linear<Pte>(run.first)[kernel_entry] = linear<Pte>(ISO_PAGE_TABLES_GPA)[kernel_entry];
    table.root = run.first;
    return true;
}

void destroy_space(PageTable& table) {
    frames.release(table.root, 1);
}

// All of it is stale at once.
void forget_space(PageTable& table) {
    forget_all(table);
}

void switch_space(PageTable const& table) {
    current_root = table.root;
    load_root(current_root);
}

void copy(Gpa to, Gpa from, u64 bytes) {
    if (!host_copies || bytes <= k_host_copy_bytes)
        return copy_small(linear(to), linear(from), bytes);
    iso_doorbell& page = request();
    page.range_count = 2;
    page.ranges[0] = {from, bytes};
    page.ranges[1] = {to, bytes};
    ring(ISO_OP_COPY);
}

void zero(Gpa to, u64 bytes) {
    if (!host_copies || bytes <= k_host_copy_bytes) return zero_small(linear(to), bytes);
    iso_doorbell& page = request();
    page.range_count = 1;
    page.ranges[0] = {to, bytes};
    ring(ISO_OP_ZERO);
}

// Where page tables are shadowed, entries for memory that the host has are brought in by the dozen.
bool populates() {
    return host_copies;
}
void populate(Gpa first, u64 bytes) {
    iso_doorbell& page = request();
    page.range_count = 1;
    page.ranges[0] = {first, bytes};
    ring(ISO_OP_POPULATE);
}

void set_fs_base(u64 base) {
    write_msr(msr_fs_base, base);
}
u64 fs_base() {
    return read_msr(msr_fs_base);
}
void set_gs_base(u64 base) {
    write_msr(msr_gs_base, base);
}
u64 gs_base() {
    return read_msr(msr_gs_base);
}

namespace {

// What FXSAVE64 stores, then what it does not. As initialised: what a program starts with.
struct alignas(16) FpuState {
    u16 control = 0x37f; // as FNINIT leaves it
    u16 status = 0;
    u8 tags = 0; // no x87 register in use
    u8 reserved = 0;
    u16 opcode = 0;
    u64 instruction = 0;
    u64 operand = 0;
    u32 mxcsr = 0x1f80; // all exceptions masked
    u32 mxcsr_mask = 0;
    u64 registers[60] = {};
    u64 fs_base = 0;
    u64 gs_base = 0;
};
static_assert(sizeof(FpuState) == 512 + 16);
constexpr FpuState k_initial_fpu;

// The bits of MXCSR that this processor has; setting another one faults (AMD64 APM volume 2,
// 11.5.10).
u32 mxcsr_bits() {
    static u32 bits = 0;
    if (bits == 0) {
        static FpuState state; // not on the stack, which is aligned to eight bytes only
        asm volatile("fxsave64 %0" : "=m"(state));
        bits = state.mxcsr_mask != 0 ? state.mxcsr_mask : 0xffbf;
    }
    return bits;
}

} // namespace

u32 fpu_bytes() {
    return sizeof(FpuState);
}

void fpu_save(void* to) {
    auto* const state = static_cast<FpuState*>(to);
    asm volatile("fxsave64 %0" : "=m"(*state));
    state->fs_base = fs_base();
    state->gs_base = gs_base();
}

void fpu_restore(void const* from) {
    auto const* const state = static_cast<FpuState const*>(from);
    asm volatile("fxrstor64 %0" : : "m"(*state));
    set_fs_base(state->fs_base);
    set_gs_base(state->gs_base);
}

void fpu_reset() {
    fpu_restore(&k_initial_fpu);
}

bool fpu_sanitize(void* buffer) {
    auto* const state = static_cast<FpuState*>(buffer);
    state->mxcsr &= mxcsr_bits();
    state->fs_base = fs_base();
    state->gs_base = gs_base();
    return true;
}

u32 hardware_capabilities() {
    return cpuid(1).edx;
}

void set_kernel_stack(u64 top) {
    iso_cpu.kernel_rsp = reinterpret_cast<u8*>(top);
    iso_tss.rsp0 = reinterpret_cast<u8*>(top);
}

u64 kernel_stack_top() {
    return reinterpret_cast<u64>(iso_cpu.kernel_rsp);
}

} // namespace iso::guest::port
