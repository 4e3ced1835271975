/*
 * The hypercalls of paravirt-demo: what the pv port of the guest kernel may ask for, and how.
 *
 * Names, numbers and registers are Xen's where the meaning is Xen's (xen/include/public/xen.h): the
 * number in rax, arguments in rdi rsi rdx r10 r8, result or -errno in rax, rcx and r11 clobbered.
 * The kernel calls into the hypercall page, 32 bytes a number; what lies behind it is the
 * hypervisor's affair.
 *
 * Self-contained C, like guest_abi.h, which describes memory, boot information and the doorbell.
 */
#ifndef ISOLAB_COMMON_ABI_HYPERCALL_ABI_H
#define ISOLAB_COMMON_ABI_HYPERCALL_ABI_H

#include <stdint.h>

#define ISO_HYPERCALL_PAGE 0x7e0000001000ull
#define ISO_HYPERCALL_STRIDE 32u
#define ISO_HYPERCALL_COUNT 64u

enum iso_hypercall {
    ISO_HC_SET_TRAP_TABLE = 0, /* (const struct iso_trap_info*) ends with address 0 */
    ISO_HC_MMU_UPDATE = 1,     /* (const struct iso_mmu_update*, count, ISO_MMU_*, address space) */
    ISO_HC_STACK_SWITCH = 3,   /* (kernel stack top) */
    ISO_HC_FPU_TASKSWITCH =
        5,                 /* (ISO_FPU_*, kernel memory) registers of the current space's thread */
    ISO_HC_MULTICALL = 13, /* (struct iso_multicall*, count) */
    ISO_HC_UPDATE_VA_MAPPING = 14, /* (virtual address, page-table entry, ISO_MMU_*) */
    ISO_HC_SET_TIMER_OP = 15,      /* (absolute CLOCK_MONOTONIC ns; 0 cancels) */
    ISO_HC_XEN_VERSION = 17,       /* () the version of this interface */
    ISO_HC_IRET = 23,              /* (const struct iso_pv_frame*) does not return */
    ISO_HC_MMUEXT_OP = 26,         /* (ISO_MMUEXT_*, argument) */
    ISO_HC_SCHED_OP = 29,          /* (ISO_SCHED_*, argument) */
    ISO_HC_CALLBACK_OP = 30,       /* (ISO_CALLBACK_*, address) */
    ISO_HC_EVENT_CHANNEL_OP = 32,  /* (ISO_EVTCHN_*, argument) */
    ISO_HC_DOORBELL = 48,          /* (operation) guest_abi.h's doorbell; Xen's arch_0 */
    ISO_HC_BLOCK_OP = 49,          /* (ISO_BLOCK_*, argument) the disk; Xen's arch_1 */
};

#define ISO_HYPERCALL_VERSION 2u

/* What a frame shows as cs and ss of a program: guest_abi.h's user selectors. */
#define ISO_USER_CS_SELECTOR 0x43u
#define ISO_USER_SS_SELECTOR 0x3bu

/* ---- Traps and callbacks ----------------------------------------------------------------------
 */

/* The registers of what was interrupted, put on the kernel stack before the handler runs. The
 * handler gets its address in rdi and the vector in rsi, and never returns: it ends with
 * ISO_HC_IRET. The order is that of the guest kernel's TrapFrame. */
struct iso_pv_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r9, r8, r10, rdx, rsi, rdi;
    uint64_t r11, rcx, rax;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

struct iso_trap_info {
    uint8_t vector;
    uint8_t flags;
    uint16_t cs;
    uint32_t reserved;
    uint64_t address;
};

enum { ISO_CALLBACK_EVENT = 0, ISO_CALLBACK_SYSCALL = 2 };

/* ---- Memory -----------------------------------------------------------------------------------
 */

/* One mapping of the current or named address space. `pte` has the hardware's layout: bit 0
 * present, 1 writable, 2 user, 63 no-execute, 12-51 the frame. Not present: the mapping goes away.
 * Contiguous updates with equal rights are one mapping on the host. */
struct iso_mmu_update {
    uint64_t va;
    uint64_t pte;
    uint64_t pages; /* of neighbouring addresses and frames, with the same rights */
};

/* ISO_MMU_FLUSH: the call returns when what was replaced or taken away cannot be reached any more.
 * Without it new mappings are made before the program runs again, and removals some time later. */
enum {
    ISO_MMU_FLUSH = 1,
    /* The entries are mapped already, to whatever frames: they get the rights in `pte`, whose frame
     * counts for nothing. Not present: no access. */
    ISO_MMU_PROTECT = 2,
};

enum {
    ISO_MMUEXT_NEW_SPACE = 0x40,   /* () a fresh address space; result its identifier */
    ISO_MMUEXT_NEW_BASEPTR = 5,    /* (identifier) the address space that IRET enters */
    ISO_MMUEXT_FREE_SPACE = 0x41,  /* (identifier) ends it and everything mapped in it */
    ISO_MMUEXT_SET_FS_BASE = 0x42, /* (address) FS base of the current address space's thread */
    ISO_MMUEXT_GET_FS_BASE = 0x43, /* () its FS base when it last entered the kernel */
    ISO_MMUEXT_SET_GS_BASE = 0x44,
    ISO_MMUEXT_GET_GS_BASE = 0x45,
    ISO_MMUEXT_FORGET_SPACE = 0x46, /* (identifier) nothing is mapped in it when this returns */
};

/* ---- Floating-point registers -------------------------------------------------------------------
 */

/* Of the current address space's thread: x87, SSE and whatever else the host's XSAVE keeps for it,
 * as XSAVE stores it (not compacted), then its FS and GS base. 64-byte aligned. */
enum {
    ISO_FPU_BYTES = 0x40,    /* () the size of that */
    ISO_FPU_SAVE = 0x41,     /* (to) */
    ISO_FPU_RESTORE = 0x42,  /* (from) */
    ISO_FPU_RESET = 0x43,    /* () as a program starts */
    ISO_FPU_SANITIZE = 0x44, /* (buffer) makes it one that RESTORE can take; -EINVAL: it is none */
};

/* ---- Scheduling -------------------------------------------------------------------------------
 */

enum { ISO_SCHED_YIELD = 0, ISO_SCHED_BLOCK = 1, ISO_SCHED_SHUTDOWN = 2 };

/* ---- The shared information page ----------------------------------------------------------------
 */

/* One page that the monitor, the hypervisor stub and the guest kernel all see. Reading it costs
 * nothing; that is its point. */
#define ISO_SHARED_INFO_VA 0x7e0020001000ull

struct iso_shared_info {
    uint64_t fault_address;  /* cr2 of the last page fault */
    uint32_t upcall_pending; /* events wait for the callback; cleared by the kernel */
    uint32_t upcall_mask;    /* the virtual interrupt flag: 1 disabled */
    uint32_t pending[32];    /* event channels: bit set when an event arrived */
};
#define ISO_EVENT_TIMER 0u

#define ISO_EVENT_DISK 1u /* both ways: the guest sends it, and it is pending when answers came */

enum { ISO_EVTCHN_SEND = 4 }; /* (port) */

/* ---- The disk ---------------------------------------------------------------------------------
 */

/* A ring in guest memory, in the spirit of Xen's blkif.h: the guest puts requests in and advances
 * request_producer, then sends ISO_EVENT_DISK; the monitor puts each answer where a request was and
 * advances response_producer. Counters only grow; a slot's index is a counter modulo the ring's
 * size. As many requests may be on their way as there are slots. Requests are done in order. (Xen's
 * front ends tell where their ring is through its store; here a hypercall does.) */
#define ISO_BLOCK_SLOTS 32u
#define ISO_BLOCK_SEGMENTS 14u

/* ISO_BLOCK_CONNECT: (guest-physical address of a struct iso_block_ring, at the start of a page) 0,
 * -ENODEV, -EFAULT, -EINVAL */
enum { ISO_BLOCK_CONNECT = 1 };
enum { ISO_BLOCK_READ = 0, ISO_BLOCK_WRITE = 1, ISO_BLOCK_FLUSH = 3 };

struct iso_block_segment {
    uint64_t gpa;
    uint64_t bytes;
};

struct iso_block_request {
    uint32_t operation;
    uint32_t segment_count;
    uint64_t id;     /* comes back in the answer */
    uint64_t sector; /* of 512 bytes */
    struct iso_block_segment segment[ISO_BLOCK_SEGMENTS];
    uint64_t reserved;
};

struct iso_block_response {
    uint64_t id;
    uint32_t operation;
    int32_t status; /* 0 or -errno */
};

union iso_block_slot {
    struct iso_block_request request;
    struct iso_block_response response;
};

struct iso_block_ring {
    uint32_t request_producer;  /* the guest's */
    uint32_t response_producer; /* the monitor's */
    uint32_t reserved[62];
    union iso_block_slot slot[ISO_BLOCK_SLOTS];
};

/* The vector that says: this address space cannot go on. error 0: the host ended its process (an
 * attack on the boundary); else the errno with which the host refused a mapping. */
#define ISO_VECTOR_SPACE_DEAD 18u

struct iso_multicall {
    uint64_t number;
    uint64_t argument[5];
    int64_t result;
};

#endif
