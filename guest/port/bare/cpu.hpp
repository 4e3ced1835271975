#pragma once

#include "guest/kernel/trap.hpp"
#include "guest/kernel/types.hpp"

namespace iso::guest::bare {

/// Task state segment (AMD64 APM volume 2, 12.2.5): the stacks that traps switch to.
struct [[gnu::packed]] Tss {
    u32 reserved0 = 0;
    u8* rsp0 = nullptr;
    u64 rsp1 = 0, rsp2 = 0;
    u64 reserved1 = 0;
    u8* ist1 = nullptr; // double fault, machine check
    u64 ist2 = 0, ist3 = 0, ist4 = 0, ist5 = 0, ist6 = 0, ist7 = 0;
    u64 reserved2 = 0;
    u16 reserved3 = 0;
    u16 io_map = 0; // beyond the limit: no port is the program's
};
static_assert(sizeof(Tss) == 104);

/// What belongs to one processor.
struct Cpu {
    u64 user_rsp;   // the program's stack while a system call enters
    u8* kernel_rsp; // the top of the current process's kernel stack
};

struct [[gnu::packed]] TablePointer {
    u16 limit;
    void const* base;
};

inline constexpr u16 k_tss_selector = 0x48;

extern TablePointer const k_gdt_pointer;
extern TablePointer const k_idt_pointer;

} // namespace iso::guest::bare

extern "C" {
extern iso::guest::bare::Cpu iso_cpu;
extern iso::guest::bare::Tss iso_tss;
extern iso::guest::u8 iso_boot_stack[];
}
