// Start of a guest address space's process (U): builds the boundary around itself, then waits to be
// told what to run. Everything here happens before any guest code does.

#include "paravirt-demo/stub/boundary.hpp"
#include "paravirt-demo/stub/filter.hpp"
#include "paravirt-demo/stub/stub_start.hpp"
#include "paravirt-demo/stub/syscall_x86_64.hpp"

#include <linux/sched.h>

#pragma GCC visibility push(hidden) // the linker must see direct references: there is no GOT here
extern "C" {
extern char const iso_gate_return[];
[[noreturn]] void iso_user_finish(void const* filter, uint64_t const* mask);
extern uint64_t const iso_running_mask;
[[noreturn]] void iso_mapper_entry();
void iso_signal_entry();
}
#pragma GCC visibility pop

namespace iso::pv {

extern "C" uint64_t const iso_running_mask =
    running_signal_mask(); // read-only: its address is in the filter

namespace {

// The assembly knows these by number.
static_assert(offsetof(EventPage, signal) == 4 && offsetof(EventPage, frame) == 8);
static_assert(offsetof(EventPage, info) == 16 && offsetof(EventPage, fs_base) == 24);
static_assert(offsetof(EventPage, map_error) == 32 && offsetof(EventPage, mapper_ready) == 36);
static_assert(offsetof(EventPage, asleep) == 40 && offsetof(CommandPage, kernel_asleep) == 28);
static_assert(offsetof(EventPage, tick) == 44 && offsetof(EventPage, gs_base) == 48 &&
              offsetof(EventPage, go) == 64);
static_assert(offsetof(CommandPage, fs_base) == 8 && offsetof(CommandPage, gs_base) == 32 &&
              offsetof(CommandPage, spin) == 16);
static_assert(offsetof(CommandPage, ring) == 1024 && sizeof(MapperCommand) == 64);

LinkedFilter<sizeof k_virtual_cpu_filter / sizeof(sock_filter)> g_virtual_cpu_filter;
LinkedFilter<sizeof k_mapper_filter / sizeof(sock_filter)> g_mapper_filter;

/// For the mapper until it runs under its filter. Not in the slot: K could write there, and so
/// choose what the mapper does before any filter holds it.
alignas(16) char g_mapper_start_stack[1024];

/// The mapper's first and only C code: it has no stack of its own to return on.
[[noreturn]] void start_mapper() {
    if (system_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
                    reinterpret_cast<uint64_t>(&g_mapper_filter.program)) != 0)
        stub_fail();
    iso_mapper_entry();
}

void map_slot(unsigned slot) {
    uint64_t const offset = slot_offset(slot);
    map_fixed(k_command_va, k_page, PROT_READ, k_control_fd, offset);
    map_fixed(k_event_va, k_slot_bytes - k_page, PROT_READ | PROT_WRITE, k_control_fd,
              offset + k_page);
}

} // namespace

extern "C" [[noreturn]] void iso_stub_main(uint64_t const* stack) {
    unsigned const slot = stub_argument(stack);
    map_slot(slot);
    auto* const command = reinterpret_cast<CommandPage const*>(k_command_va);
    auto* const event = reinterpret_cast<EventPage*>(k_event_va);
    confine_common(command->monitor_pid, k_ack_fd);
    system_call(SYS_close, k_control_fd);

    // No signal before the filter: the handler would leave through a frame in the slot, where K
    // could put any address, and no filter would hold what runs there.
    block_signals();
    install_handlers(reinterpret_cast<uint64_t>(&iso_signal_entry), k_signal_stack_va,
                     k_signal_stack_bytes);
    g_virtual_cpu_filter.link(k_virtual_cpu_filter, iso_gate_return);
    g_virtual_cpu_filter.code[k_mask_check].k =
        static_cast<uint32_t>(reinterpret_cast<uint64_t>(&iso_running_mask));
    g_mapper_filter.link(k_mapper_filter, nullptr);

    // The mapper is born with every signal blocked, and keeps them so.
    uint64_t const flags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    require(iso_clone_task(
        flags, reinterpret_cast<uint64_t>(g_mapper_start_stack + sizeof g_mapper_start_stack),
        &start_mapper));
    while (__atomic_load_n(&event->mapper_ready, __ATOMIC_ACQUIRE) == 0)
        system_call(SYS_futex, reinterpret_cast<uint64_t>(&event->mapper_ready), FUTEX_WAIT, 0);
    protect_self(); // filters are final: the stub's data becomes read-only
    iso_user_finish(&g_virtual_cpu_filter.program, &iso_running_mask);
}

} // namespace iso::pv
