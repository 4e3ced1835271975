// The hypercalls, as the guest kernel's process serves them. Mappings of the domain's own memory go
// from here straight to the mapper; whatever concerns the host, a device or a timer goes to the
// monitor. This code runs with the guest kernel's rights: it translates, it does not police.

#include "paravirt-demo/stub/fpu.hpp"
#include "paravirt-demo/stub/kernel_stub.hpp"
#include "paravirt-demo/stub/spaces.hpp"

namespace iso::pv {

namespace {

constexpr int64_t k_enosys = -38;
constexpr int64_t k_einval = -22;

constexpr uint64_t k_pte_present = 1;
constexpr uint64_t k_pte_write = 2;
constexpr uint64_t k_pte_no_execute = uint64_t{1} << 63U;
constexpr uint64_t k_pte_frame = 0x000f'ffff'ffff'f000;

/// Every hypercall has this shape: up to five words in, one out (-errno on failure).
using Word = uint64_t;

template <typename T>
T const* pointer(Word value) {
    return reinterpret_cast<T const*>(value);
}

/// The host protection (PROT_*) that gives the program what the entry gives it.
uint32_t protection_of(uint64_t pte) {
    if ((pte & k_pte_present) == 0) return 0; // PROT_NONE
    return 1U | ((pte & k_pte_write) != 0 ? 2U : 0U) | ((pte & k_pte_no_execute) == 0 ? 4U : 0U);
}

void apply(Space& space, iso_mmu_update const& update, Word flags) {
    uint64_t const bytes = update.pages * k_page;
    if ((flags & ISO_MMU_PROTECT) != 0)
        space.protect(update.va, bytes, protection_of(update.pte));
    else if ((update.pte & k_pte_present) != 0)
        space.map(update.va, update.pte & k_pte_frame, bytes, protection_of(update.pte));
    else
        space.unmap(update.va, bytes);
}

int64_t set_trap_table(Word table, Word, Word, Word, Word) {
    for (auto const* info = pointer<iso_trap_info>(table); info->address != 0; ++info)
        set_handler(info->vector, info->address);
    return 0;
}

int64_t callback_op(Word which, Word address, Word, Word, Word) {
    switch (which) {
    case ISO_CALLBACK_SYSCALL:
        set_handler(k_event_syscall, address);
        return 0;
    case ISO_CALLBACK_EVENT:
        set_handler(k_event_tick, address);
        return 0;
    default:
        return k_einval;
    }
}

int64_t stack_switch(Word top, Word, Word, Word, Word) {
    set_kernel_stack(top);
    return 0;
}

int64_t mmu_update(Word updates, Word n, Word flags, Word space_id, Word) {
    Space* const space = find_space(space_id);
    if (space == nullptr) return k_einval;
    for (Word i = 0; i < n; ++i)
        apply(*space, pointer<iso_mmu_update>(updates)[i], flags);
    if ((flags & ISO_MMU_FLUSH) != 0) space->barrier();
    return 0;
}

int64_t update_va_mapping(Word va, Word pte, Word flags, Word, Word) {
    Space& space = current_space();
    apply(space, {va, pte, 1}, flags);
    if ((flags & ISO_MMU_FLUSH) != 0) space.barrier();
    return 0;
}

int64_t mmuext_op(Word operation, Word argument, Word, Word, Word) {
    switch (operation) {
    case ISO_MMUEXT_NEW_SPACE:
        return new_space();
    case ISO_MMUEXT_FREE_SPACE:
        return free_space(argument);
    case ISO_MMUEXT_NEW_BASEPTR:
        return select_space(argument);
    case ISO_MMUEXT_FORGET_SPACE:
        return forget_space(argument);
    case ISO_MMUEXT_SET_FS_BASE:
        current_space().command().fs_base = argument;
        return 0;
    case ISO_MMUEXT_GET_FS_BASE:
        return static_cast<int64_t>(current_space().command().fs_base);
    case ISO_MMUEXT_SET_GS_BASE:
        current_space().command().gs_base = argument;
        return 0;
    case ISO_MMUEXT_GET_GS_BASE:
        return static_cast<int64_t>(current_space().command().gs_base);
    default:
        return k_enosys;
    }
}

/// With Xen's name for what a guest kernel does about these registers when it switches tasks.
int64_t fpu_taskswitch(Word operation, Word memory, Word, Word, Word) {
    Space& space = current_space();
    switch (operation) {
    case ISO_FPU_BYTES:
        return fpu_bytes();
    case ISO_FPU_SAVE:
        settle(space);
        save_fpu(space, reinterpret_cast<void*>(memory));
        return 0;
    case ISO_FPU_RESTORE:
        settle(space);
        restore_fpu(space, pointer<void>(memory));
        return 0;
    case ISO_FPU_RESET:
        settle(space);
        reset_fpu(space);
        return 0;
    case ISO_FPU_SANITIZE:
        return sanitize_fpu(space, reinterpret_cast<void*>(memory)) ? 0 : k_einval;
    default:
        return k_enosys;
    }
}

/// Those that concern the host, a device, a timer or the domain as a whole.
template <unsigned number>
int64_t to_monitor(Word a, Word b, Word c, Word d, Word e) {
    return ask_monitor(number, a, b, c, d, e);
}

/// Sleeps until an event is pending; the kernel calls it with events masked and takes them after.
int64_t sched_op(Word operation, Word argument, Word, Word, Word) {
    switch (operation) {
    case ISO_SCHED_YIELD:
        return 0;
    case ISO_SCHED_BLOCK:
        while (!upcall_pending()) {
            uint32_t const seen = __atomic_load_n(&control().event_seq, __ATOMIC_ACQUIRE);
            if (!upcall_pending()) futex_wait(&control().event_seq, seen);
        }
        return 0;
    case ISO_SCHED_SHUTDOWN:
        return ask_monitor(ISO_HC_SCHED_OP, operation, argument);
    default:
        return k_enosys;
    }
}

int64_t iret(Word frame, Word, Word, Word, Word) {
    enter_user(*pointer<iso_pv_frame>(frame));
}

int64_t unknown(Word, Word, Word, Word, Word) {
    return k_enosys;
}

using Hypercall = int64_t (*)(Word, Word, Word, Word, Word);

struct Table {
    Hypercall call[ISO_HYPERCALL_COUNT];

    constexpr Table()
        : call() {
        for (Hypercall& entry : call)
            entry = unknown;
        call[ISO_HC_SET_TRAP_TABLE] = set_trap_table;
        call[ISO_HC_MMU_UPDATE] = mmu_update;
        call[ISO_HC_STACK_SWITCH] = stack_switch;
        call[ISO_HC_FPU_TASKSWITCH] = fpu_taskswitch;
        call[ISO_HC_UPDATE_VA_MAPPING] = update_va_mapping;
        call[ISO_HC_SET_TIMER_OP] = to_monitor<ISO_HC_SET_TIMER_OP>;
        call[ISO_HC_XEN_VERSION] = to_monitor<ISO_HC_XEN_VERSION>;
        call[ISO_HC_IRET] = iret;
        call[ISO_HC_MMUEXT_OP] = mmuext_op;
        call[ISO_HC_SCHED_OP] = sched_op;
        call[ISO_HC_CALLBACK_OP] = callback_op;
        call[ISO_HC_EVENT_CHANNEL_OP] = to_monitor<ISO_HC_EVENT_CHANNEL_OP>;
        call[ISO_HC_BLOCK_OP] = to_monitor<ISO_HC_BLOCK_OP>;
        call[ISO_HC_DOORBELL] = to_monitor<ISO_HC_DOORBELL>;
    }
};
constexpr Table k_table;

int64_t dispatch(Word a, Word b, Word c, Word d, Word e, unsigned number) {
    ++control().hypercalls[number];
    return k_table.call[number](a, b, c, d, e);
}

/// Several in one call; an IRET among them is refused, as a batch must come back.
int64_t multicall(Word calls, Word n) {
    auto* const batch = reinterpret_cast<iso_multicall*>(calls);
    for (Word i = 0; i < n; ++i) {
        iso_multicall& one = batch[i];
        bool const allowed = one.number < ISO_HYPERCALL_COUNT && one.number != ISO_HC_IRET &&
                             one.number != ISO_HC_MULTICALL;
        one.result =
            allowed ? dispatch(one.argument[0], one.argument[1], one.argument[2], one.argument[3],
                               one.argument[4], static_cast<unsigned>(one.number))
                    : k_einval;
    }
    return 0;
}

} // namespace

/// From the hypercall page: five arguments and the number.
extern "C" __attribute__((visibility("hidden"))) int64_t
iso_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, unsigned number) {
    if (number != ISO_HC_MULTICALL) return dispatch(a, b, c, d, e, number);
    ++control().hypercalls[number];
    return multicall(a, b);
}

} // namespace iso::pv
