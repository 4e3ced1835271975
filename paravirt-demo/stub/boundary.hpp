#pragma once

/// The memory that the processes of one domain share, and where each of them sees it.
///
/// M: the monitor. K: the guest kernel's process. U: one process for each guest address space, with
/// two tasks: the virtual CPU, which runs guest user code, and the mapper, which alone may change
/// what is mapped. Freestanding: the stubs compile it as well as the monitor.
///
/// Who may write what is the security argument (see docs/paravirt.md): U's virtual CPU can write
/// its event page and its signal stack and nothing else here. An event is therefore always treated
/// as "user mode did X with registers R": forging one gives U nothing that it could not do by
/// loading the registers and trapping.

#include <stddef.h>
#include <stdint.h>

namespace iso::pv {

// ---- Addresses, the same in every process -------------------------------------------------------

inline constexpr uint64_t k_stub_base = 0x7e00'0000'0000;
inline constexpr uint64_t k_stub_end = 0x7e00'0010'0000;
inline constexpr uint64_t k_slots_base = 0x7e00'1000'0000; ///< U: its own slot; K: all of them
inline constexpr uint64_t k_control_base =
    0x7e00'2000'0000; ///< K only: struct Control, then shared info
inline constexpr uint64_t k_unmap_from =
    0x7e00'3000'0000; ///< everything above is unmapped: stack, vDSO
inline constexpr uint64_t k_unmap_to = 0x7fff'ffff'f000;

inline constexpr uint64_t k_page = 4096;
inline constexpr uint64_t k_slot_bytes = 64 * 1024;
inline constexpr unsigned k_max_slots = 256;

// ---- Descriptors inherited by the stubs ---------------------------------------------------------

inline constexpr int k_ram_fd = 3; ///< the domain's memory, sealed against shrinking and growing
inline constexpr int k_control_fd =
    4;                              ///< control pages and slots; closed after the stub mapped them
inline constexpr int k_ack_fd = 5;  ///< eventfd: U's mapper writes it, K reads it, nobody else can
inline constexpr int k_bell_fd = 6; ///< eventfd: K rings it for the monitor (K only)

// ---- The control file: struct Control page, shared info page, pad, then the slots
// ------------------

inline constexpr uint64_t k_control_bytes = k_slot_bytes;
inline constexpr uint64_t slot_offset(unsigned index) {
    return k_control_bytes + uint64_t{index} * k_slot_bytes;
}
inline constexpr uint64_t k_control_file_bytes = slot_offset(k_max_slots);

/// What the monitor tells a stub before it starts, in its argv-free way. Written by M only.
struct KernelLaunch {
    uint64_t ram_bytes;
    uint64_t entry;     ///< of the guest kernel
    uint64_t boot_info; ///< its first argument
    uint32_t segment_count;
    uint32_t spin; ///< iterations to spin before sleeping; 0 on one core
    struct Segment {
        uint64_t va;
        uint64_t offset; ///< in RAM
        uint64_t bytes;
        uint32_t prot;
        uint32_t pad;
    } segments[16];
};

/// K and M meet here. K writes requests, M answers; M treats every word as hostile.
struct alignas(64) Control {
    // K to M
    uint32_t request_seq;    ///< futex: K advances it when a request is ready
    uint32_t request_number; ///< enum iso_hypercall, or one of k_request_*
    uint64_t request_argument[5];
    // M to K
    alignas(64) uint32_t answer_seq; ///< futex: M sets it to request_seq
    int64_t answer;
    // Any to K: wakes sched_op(block)
    alignas(64) uint32_t event_seq; ///< futex
    uint32_t running; ///< 1 + slot of the U that runs guest user code, 0 none (K's word)
    uint32_t spin;
    uint32_t monitor_pid;
    uint32_t awaits_ack; ///< 1 + slot of the mapper whose acknowledgement K waits for (K's word)
    // Counters, advisory: K's process may write them
    alignas(64) uint64_t hypercalls[64];
    uint64_t events[64];   ///< by trap vector; 32: system call; 33: tick
    uint64_t map_commands; ///< mmap calls asked of mappers
    uint64_t map_pages;    ///< pages in them
    uint64_t unmap_commands;
    uint64_t protect_commands;
    uint64_t fpu_copies;      ///< floating-point states copied to or from a frame
    uint64_t mapper_barriers; ///< acknowledgements waited for
    KernelLaunch launch;
};
static_assert(sizeof(Control) <= k_page);

inline constexpr uint32_t k_request_crash = 0x100; ///< argument: vector, error, rip, cr2, signal
/// M makes the acknowledgements readable, so that K can take all that were ever given.
inline constexpr uint32_t k_request_acknowledge = 0x101;

inline constexpr unsigned k_event_syscall = 32;
inline constexpr unsigned k_event_tick = 33;

// ---- A slot: what K shares with one U
// ---------------------------------------------------------------

/// One command to the mapper: a system call with its arguments, or one of the two that end a batch.
struct alignas(64) MapperCommand {
    uint32_t kind; ///< k_mapper_*
    uint32_t pad;
    uint64_t number; ///< system call
    uint64_t argument[6];
};
inline constexpr uint32_t k_mapper_call = 0;   ///< make the system call
inline constexpr uint32_t k_mapper_resume = 1; ///< let the virtual CPU go on: go = argument[0]
inline constexpr uint32_t k_mapper_ack =
    2; ///< tell K, on a descriptor that only the mapper may write
inline constexpr unsigned k_mapper_ring = 32;

/// Page 0 of a slot: read-only in U.
struct CommandPage {
    uint32_t tail;    ///< futex: commands ever put in the ring
    uint32_t dead;    ///< M: the process is gone. Here, where U cannot claim it of itself
    uint64_t fs_base; ///< loaded by the virtual CPU when it resumes
    uint32_t spin;    ///< how long the virtual CPU spins before it sleeps
    uint32_t slot;
    uint32_t monitor_pid;
    uint32_t kernel_asleep; ///< K sleeps, or is about to, until event_seq changes
    uint64_t gs_base;
    alignas(1024) MapperCommand ring[k_mapper_ring];
};
static_assert(sizeof(CommandPage) <= k_page);

/// Page 1 of a slot: written by U (and, for `go`, by K and the mapper).
struct EventPage {
    uint32_t event_seq;    ///< futex: U advances it with each event
    uint32_t signal;       ///< the host's signal that carried the event
    uint64_t frame;        ///< U's address of the ucontext of the event, in the signal stack
    uint64_t info;         ///< and of the siginfo
    uint64_t fs_base;      ///< when the event happened
    uint32_t map_error;    ///< errno of a mapper call that failed; 0 none
    uint32_t mapper_ready; ///< the mapper runs under its own filter
    uint32_t asleep;       ///< the virtual CPU sleeps, or is about to, until `go` changes
    uint32_t tick;         ///< a tick came while the stub ran; taken before it leaves
    uint64_t gs_base;
    alignas(64) uint32_t go; ///< futex: the event that was answered
};
static_assert(sizeof(EventPage) <= k_page);

inline constexpr uint64_t k_command_va = k_slots_base;
inline constexpr uint64_t k_event_va = k_slots_base + k_page;
inline constexpr uint64_t k_signal_stack_va = k_slots_base + 2 * k_page;
inline constexpr uint64_t k_signal_stack_bytes = k_slot_bytes - 2 * k_page;

} // namespace iso::pv
