/*
 * The contract between the guest kernel and whatever runs it: memory layout, boot information,
 * the doorbell and the pages that both sides share.
 *
 * Self-contained C, no dependencies but <stdint.h>; both sides compile it. Host side: every field
 * that the guest can write is hostile. Fetch it once, check it, and reach guest memory only through
 * the checked accessor. Guest-physical addresses are plain numbers here (`iso_gpa_t`) and cannot be
 * dereferenced on either side.
 *
 * Direction is marked: [in] host to guest, written before the guest runs; [out] guest to host.
 * Bump ISO_ABI_VERSION with every change that an older kernel or engine would misread.
 */
#ifndef ISOLAB_COMMON_ABI_GUEST_ABI_H
#define ISOLAB_COMMON_ABI_GUEST_ABI_H

#include <stdint.h>

#define ISO_ABI_VERSION 4u
#define ISO_ABI_MAGIC 0x62616c6f73690a00ull /* "\0\nisolab" */

typedef uint64_t iso_gpa_t; /* a guest-physical address: not a pointer, on either side */

/* ---- Addresses --------------------------------------------------------------------------------
 */

/* The kernel lives in the low canonical half, so that one binary runs in ring 0 under KVM and
 * deprivileged in a host process. Guest-physical address p is mapped at ISO_KERNEL_BASE + p. */
#define ISO_KERNEL_BASE 0x600000000000ull
#define ISO_USER_LOW 0x10000ull         /* lowest address a program may map */
#define ISO_USER_HIGH 0x5ffffffff000ull /* end of user addresses; the last page stays unmapped */

#define ISO_PAGE_SIZE 4096ull

/* Fixed places in guest-physical memory. Page 0 is never used. */
#define ISO_BOOT_INFO_GPA 0x1000ull    /* struct iso_boot_info */
#define ISO_DOORBELL_GPA 0x2000ull     /* struct iso_doorbell */
#define ISO_COUNTERS_GPA 0x3000ull     /* struct iso_counters, two pages */
#define ISO_PAGE_TABLES_GPA 0x10000ull /* initial page tables, made by the engine */
#define ISO_PAGE_TABLES_END 0x80000ull
#define ISO_CONSOLE_GPA 0x80000ull /* struct iso_console */
#define ISO_CONSOLE_BYTES 0x10000ull
#define ISO_ARGUMENTS_GPA 0x90000ull /* the strings of argv and envp */
#define ISO_ARGUMENTS_BYTES 0x40000ull
#define ISO_MODULE_TABLE_GPA 0xd0000ull /* struct iso_module[] */
#define ISO_MODULE_TABLE_BYTES 0x100000ull
#define ISO_STACK_GPA 0x1d0000ull /* room for the program's first stack */
#define ISO_STACK_BYTES 0x30000ull
#define ISO_KERNEL_GPA 0x200000ull       /* the kernel image: linked at ISO_KERNEL_BASE + this */
#define ISO_KERNEL_MAX_BYTES 0x200000ull /* image, bss and boot stacks */
#define ISO_FREE_GPA 0x400000ull         /* first frame the kernel may allocate */

/* ---- Segment selectors ------------------------------------------------------------------------
 */

/* Never 0x23, 0x2b, 0x33, 0x7b: those are the host's, and a deprivileged iretq to them would not
 * trap. User data and code are 8 apart in SYSRET's order (AMD64 APM vol. 2, 6.1.1). */
#define ISO_KERNEL_CS 0x08u
#define ISO_KERNEL_DS 0x10u
#define ISO_USER_DS 0x3bu
#define ISO_USER_CS 0x43u

/* ---- Entry ------------------------------------------------------------------------------------
 */

/* The engine starts the one vCPU at the kernel image's ELF entry point, in 64-bit mode and ring 0:
 *   RDI = ISO_KERNEL_BASE + ISO_BOOT_INFO_GPA; RFLAGS = 2; the other registers may hold anything
 * (the kernel brings its stack, GDT, IDT and TSS). CS = ISO_KERNEL_CS, SS DS ES = ISO_KERNEL_DS,
 * flat; FS and GS base 0; x87 and SSE as after reset. CR0 = PE MP ET NE WP AM PG; CR4 = PAE OSFXSR
 * OSXMMEXCPT, and SMEP SMAP where the processor has them (the kernel reaches through no user
 * address); EFER = SCE LME LMA NXE. CR3 = ISO_PAGE_TABLES_GPA. Its top-level table has one entry,
 * number ISO_KERNEL_BASE >> 39: the linear map of [0, physical_end), supervisor only, accessed and
 * dirty bits set. RAM is read-write and no-execute in 2 MiB pages; the kernel's image is mapped in
 * 4 KiB pages with the permissions of its segments (never writable and executable; gaps between
 * segments read-write, no-execute); modules are read-only and no-execute, their pages 2 MiB
 * wherever alignment allows. The kernel makes the table its first address space: it fills the
 * entries below, and shares the linear map's.
 */

/* ---- Boot information -------------------------------------------------------------------------
 */

/* A file the engine passes in: the program itself (index 0) and everything of --add.
 * The bytes lie page-aligned in guest-physical memory outside of RAM, read-only to the guest,
 * zeroed from `bytes` to the end of the last page. */
enum iso_module_kind { ISO_MODULE_FILE = 1, ISO_MODULE_DIRECTORY = 2, ISO_MODULE_SYMLINK = 3 };

struct iso_module {
    iso_gpa_t gpa;  /* [in] first byte; 0 for a directory or an empty file */
    uint64_t bytes; /* [in] size; for a symbolic link the length of its target */
    uint32_t kind;  /* [in] enum iso_module_kind */
    uint32_t mode;  /* [in] permission bits, as st_mode & 07777 */
    uint32_t path;  /* [in] offset of the absolute path in the argument area, zero-terminated */
    uint32_t path_bytes; /* [in] length of the path without the terminating zero */
};

enum iso_boot_flags {
    ISO_BOOT_TRACE = 1u << 0,     /* ring the doorbell with ISO_OP_TRACE for every system call */
    ISO_BOOT_HOST_COPY = 1u << 1, /* ring 0 is emulated here: copy and zero through the doorbell */
    ISO_BOOT_STDIN_CLOSED = 1u << 2, /* there is no stdin */
};

struct iso_boot_info {
    uint64_t magic;             /* [in] ISO_ABI_MAGIC */
    uint32_t version;           /* [in] ISO_ABI_VERSION */
    uint32_t bytes;             /* [in] sizeof(struct iso_boot_info) */
    uint64_t flags;             /* [in] enum iso_boot_flags */
    uint64_t ram_bytes;         /* [in] RAM is [0, ram_bytes); frames arrive zeroed */
    uint64_t physical_end;      /* [in] end of the linear map: RAM, then modules */
    iso_gpa_t modules;          /* [in] struct iso_module[module_count]; 0 is the program */
    uint32_t module_count;      /* [in] */
    uint32_t argument_count;    /* [in] argc */
    uint32_t environment_count; /* [in] */
    uint32_t reserved;          /* [in] 0 */
    iso_gpa_t arguments;        /* [in] argv strings, then envp strings, each zero-terminated */
    uint64_t argument_bytes;    /* [in] of both together */
    uint32_t workdir;           /* [in] offset in the argument area of the working directory */
    uint32_t workdir_bytes;     /* [in] */
    /* CLOCK_MONOTONIC = clock_ns + ((rdtsc - clock_tsc) * clock_multiplier >> clock_shift) */
    uint64_t clock_ns;             /* [in] */
    uint64_t clock_tsc;            /* [in] in the guest's TSC */
    uint32_t clock_multiplier;     /* [in] */
    uint32_t clock_shift;          /* [in] at most 32 */
    int64_t clock_realtime_offset; /* [in] CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
    uint8_t random[32];            /* [in] seed: AT_RANDOM and /dev/urandom */
    uint32_t host_uid;             /* [in] what getuid returns inside */
    uint32_t host_gid;             /* [in] */
    /* The program's first stack as the System V ABI has it, built by the engine in whole pages of
     * RAM that nothing else uses and that the program gets; it ends at ISO_USER_HIGH. 0: the kernel
     * builds it, from what is above. */
    iso_gpa_t stack;          /* [in] its lowest page */
    uint64_t stack_bytes;     /* [in] of those pages */
    uint64_t stack_used;      /* [in] from the stack pointer to the end */
    iso_gpa_t stack_headers;  /* [in] the pairs AT_PHDR, AT_PHNUM, AT_ENTRY, in this order: the
                               *      kernel fills their values in */
    uint64_t disk_sectors;    /* [in] sectors of 512 bytes of the disk; 0: there is none */
    iso_gpa_t disk_registers; /* [in] on the bare machine: its virtio-mmio registers, one page */
};

/* ---- The doorbell -----------------------------------------------------------------------------
 */

/* The guest fills the request page and rings: `out` of the operation's number, 32 bits wide, to
 * ISO_DOORBELL_PORT. The engine answers in `result` before the guest goes on. */
#define ISO_DOORBELL_PORT 0x500u
#define ISO_DOORBELL_RANGES 240u

enum iso_operation {
    ISO_OP_FLUSH = 1, /* write out what the console ring holds; result 0 or -errno */
    ISO_OP_WRITE =
        2, /* flush, then write `ranges` to descriptor `argument[0]`; result bytes or -errno */
    ISO_OP_READ = 3, /* flush, then read stdin into `ranges`; result bytes or -errno; argument[0]: 0
                      * may block, 1 -EAGAIN where it would */
    ISO_OP_EXIT =
        4, /* the program ended; argument[0]: 0 exited, 1 killed by a signal; argument[1]: which */
    ISO_OP_PANIC = 5, /* the kernel cannot go on; ranges[0] is the message */
    ISO_OP_COPY = 6,  /* for each pair of ranges: copy ranges[2i] to ranges[2i+1], same length */
    ISO_OP_ZERO = 7,  /* zero each range */
    ISO_OP_TRACE =
        8, /* a system call: argument[0] number, argument[1..6] arguments, argument[7] result */
    ISO_OP_RANDOM = 9, /* fill `ranges` with random bytes from the host */
    ISO_OP_SLEEP = 10, /* flush, then sleep until CLOCK_MONOTONIC is argument[0] (~0: for ever) or,
                        * with argument[1] = 1, stdin can be read without blocking; result 0 the
                        * moment came, 1 stdin is ready */
    ISO_OP_TIMER =
        11, /* an interrupt once CLOCK_MONOTONIC is argument[0]; 0: none. One shot, replaces
             * the last one. On the bare machine it is vector ISO_TIMER_VECTOR. */
    ISO_OP_POPULATE = 12, /* the frames of each range will be used soon: have the host's memory
                           * ready behind them, which else comes page by page; result 0 or -errno */
};

#define ISO_TIMER_VECTOR 32u

struct iso_range {
    iso_gpa_t gpa;
    uint64_t bytes;
};

struct iso_doorbell {
    uint32_t operation;   /* [out] enum iso_operation; the same as the value sent to the port */
    uint32_t range_count; /* [out] at most ISO_DOORBELL_RANGES */
    int64_t result;       /* [in] */
    uint64_t argument[8]; /* [out] */
    struct iso_range ranges[ISO_DOORBELL_RANGES]; /* [out] */
};

/* ---- The disk ---------------------------------------------------------------------------------
 */

/* On the bare machine the disk is a virtio 1.x block device with memory-mapped registers (virtio
 * 1.2, 4.2 and 5.2) at `disk_registers`, which the linear map shows like memory. It has one queue.
 * Besides by QueueNotify, the queue is notified by a 32-bit `out` of its number to this port: an
 * access to the registers would have to be decoded first. The device has answered everything that
 * was available before the notification returns. It raises no interrupts.
 * Under the hypervisor it is a ring: see hypercall_abi.h. */
#define ISO_DISK_PORT 0x510u

/* ---- The console ring -------------------------------------------------------------------------
 */

/* Small writes gather here and cross the boundary at a newline, before a larger write, when the
 * ring is full or belongs to another descriptor, and at the end. The engine drains it after any
 * kind of death. `tail - head` bytes are waiting; both only grow, and index modulo the data's size.
 */
#define ISO_CONSOLE_DATA_BYTES (ISO_CONSOLE_BYTES / 2)

struct iso_console {
    uint32_t head;       /* [in]  advanced by the engine */
    uint32_t tail;       /* [out] advanced by the guest */
    uint32_t descriptor; /* [out] 1 or 2: where the waiting bytes go */
    uint32_t reserved;
    uint8_t pad[48];
    uint8_t data[ISO_CONSOLE_DATA_BYTES]; /* [out] */
};

/* ---- Counters ---------------------------------------------------------------------------------
 */

#define ISO_COUNTED_SYSCALLS 512u

struct iso_counters {      /* [out] all; read once the guest has ended */
    uint64_t page_faults;  /* page faults of the program that were served */
    uint64_t pages_mapped; /* pages mapped by them */
    uint64_t bad_pointers; /* system calls that ended with EFAULT */
    uint64_t frames_used;  /* the most frames in use at one time */
    uint64_t console_flushes;
    uint64_t
        syscall_gate; /* 0: `syscall` enters ring 0; 1: it faults at LSTAR (KVM's PVM backend) */
    uint64_t reserved[2];
    uint32_t unknown[ISO_COUNTED_SYSCALLS / 32]; /* bit n: call n was asked for and is not served */
    uint32_t syscalls[ISO_COUNTED_SYSCALLS]; /* calls by number; larger numbers count in [511] */
};

#endif
