// The processor's tables, all of them constants of the image.
#include "guest/port/bare/cpu.hpp"
#include "guest/port/bare/frame.h"

#include <array>

namespace iso::guest::bare {

static_assert(ISO_TEXT_BASE == ISO_KERNEL_BASE + ISO_KERNEL_GPA);
static_assert((ISO_STAR_USER + 16) == ISO_USER_CS && (ISO_STAR_USER + 8) == ISO_USER_DS);
static_assert(offsetof(TrapRegisters, r11) == REGISTERS_R11);
static_assert(offsetof(TrapRegisters, rax) == REGISTERS_RAX);
static_assert(offsetof(TrapRegisters, rip) == REGISTERS_RIP);
static_assert(offsetof(TrapRegisters, cs) == REGISTERS_CS);
static_assert(offsetof(TrapRegisters, rflags) == REGISTERS_RFLAGS);
static_assert(ISO_TIMER_STUB == ISO_TIMER_VECTOR);
static_assert(offsetof(Cpu, user_rsp) == CPU_USER_RSP);
static_assert(offsetof(Cpu, kernel_rsp) == CPU_KERNEL_RSP);

// contract.S names these two.
static_assert(ISO_KERNEL_BASE + ISO_COUNTERS_GPA + offsetof(iso_counters, syscalls) ==
              0x600000003080);
static_assert(ISO_KERNEL_BASE + ISO_COUNTERS_GPA + offsetof(iso_counters, syscall_gate) ==
              0x600000003028);

namespace {

constexpr u64 k_tss_limit = sizeof(Tss) - 1;
constexpr u64 k_tss_base = ISO_DATA_BASE; // kernel.ld puts .data.fixed first

// AMD64 APM volume 2, 4.8: accessed bits are preset so that the processor never writes here, except
// the TSS's busy bit.
constexpr std::array<u64, 11> make_gdt() {
    std::array<u64, 11> gdt{};
    gdt[ISO_KERNEL_CS / 8] = 0x00af9b000000ffff; // 64-bit code, ring 0
    gdt[ISO_KERNEL_DS / 8] = 0x00cf93000000ffff; // data, ring 0
    gdt[ISO_USER_DS / 8] = 0x00cff3000000ffff;   // data, ring 3
    gdt[ISO_USER_CS / 8] = 0x00affb000000ffff;   // 64-bit code, ring 3
    gdt[k_tss_selector / 8] = k_tss_limit | (k_tss_base & 0xffffff) << 16 | 0x89ull << 40 |
                              (k_tss_base >> 24 & 0xff) << 56;
    gdt[k_tss_selector / 8 + 1] = k_tss_base >> 32;
    return gdt;
}

struct Gate {
    u64 low, high;
};

constexpr std::array<Gate, ISO_STUBS> make_idt() {
    std::array<Gate, ISO_STUBS> idt{};
    for (u64 vector = 0; vector < ISO_STUBS; ++vector) {
        u64 const handler = ISO_TEXT_BASE + ISO_STUBS_OFFSET + vector * 16;
        u64 const ist = vector == 8 || vector == 2 || vector == 18 ? 1 : 0;
        // int3 and into are the program's to use; all others only the processor raises.
        u64 const type = vector == 3 || vector == 4 ? 0xee : 0x8e;
        idt[vector].low = (handler & 0xffff) | u64{ISO_KERNEL_CS} << 16 | ist << 32 | type << 40 |
                          (handler >> 16 & 0xffff) << 48;
        idt[vector].high = handler >> 32;
    }
    return idt;
}

constexpr std::array<Gate, ISO_STUBS> k_idt = make_idt();
alignas(16) u8 fault_stack[4096];

} // namespace

} // namespace iso::guest::bare

extern "C" {
alignas(16) iso::guest::u8 iso_boot_stack[ISO_KERNEL_STACK_BYTES];

[[gnu::section(".data.fixed")]] constinit iso::guest::bare::Tss iso_tss = {
    .rsp0 = iso_boot_stack + ISO_KERNEL_STACK_BYTES,
    .ist1 = iso::guest::bare::fault_stack + sizeof iso::guest::bare::fault_stack,
    .io_map = sizeof(iso::guest::bare::Tss),
};

iso::guest::bare::Cpu iso_cpu = {
    .user_rsp = 0,
    .kernel_rsp = iso_boot_stack + ISO_KERNEL_STACK_BYTES,
};
}

namespace iso::guest::bare {

constinit std::array<u64, 11> gdt = make_gdt();
extern constinit TablePointer const k_gdt_pointer = {sizeof gdt - 1, &gdt};
extern constinit TablePointer const k_idt_pointer = {sizeof k_idt - 1, &k_idt};

} // namespace iso::guest::bare
