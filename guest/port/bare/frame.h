/* Offsets of trap.hpp's structures, for the entry code; descriptors.cpp asserts that they agree. */
#ifndef ISO_GUEST_BARE_FRAME_H
#define ISO_GUEST_BARE_FRAME_H

#include "guest/port/bare/layout.h"

#define REGISTERS_R11 48
#define REGISTERS_RCX 56
#define REGISTERS_RAX 64
#define REGISTERS_RIP 80
#define REGISTERS_CS 88
#define REGISTERS_RFLAGS 96
/* the same once the six argument registers are popped */
#define TAIL_RIP (REGISTERS_RIP - 48)
#define TAIL_RFLAGS (REGISTERS_RFLAGS - 48)
#define TAIL_RSP (TAIL_RIP + 24)

#define CPU_USER_RSP 0
#define CPU_KERNEL_RSP 8

#ifdef __ASSEMBLER__
/* guest_abi.h is C; these repeat what the assembler needs of it. */
#define ISO_USER_DS 0x3b
#define ISO_USER_CS 0x43
#define ISO_COUNTED_SYSCALLS 512
#endif

#endif
