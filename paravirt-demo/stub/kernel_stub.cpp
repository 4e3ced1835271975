// Start of the guest kernel's process (K): maps the domain's memory linearly with the kernel's own
// rights on its image, then hands over to the guest kernel. What the kernel calls later is in
// hypercalls.cpp.

#include "paravirt-demo/stub/kernel_stub.hpp"

#include "paravirt-demo/stub/stub_start.hpp"

namespace iso::pv {

namespace {

LinkedFilter<sizeof k_kernel_filter / sizeof(sock_filter)> g_filter;

constexpr uint64_t k_signal_stack_bytes_kernel = 32 * 1024;

void map_memory(KernelLaunch const& launch) {
    if (launch.segment_count > sizeof launch.segments / sizeof launch.segments[0]) stub_fail();
    for (uint32_t i = 0; i < launch.segment_count; ++i) {
        KernelLaunch::Segment const& segment = launch.segments[i];
        map_fixed(segment.va, segment.bytes, segment.prot, k_ram_fd, segment.offset);
    }
}

/// A private stack for the crash handler: guest kernel memory is not to be trusted for it.
uint64_t map_signal_stack() {
    constexpr uint64_t k_private_anonymous_fixed = 0x02 | 0x20 | 0x100000;
    uint64_t const at = k_control_base + 16 * k_page;
    long const got = system_call(SYS_mmap, at, k_signal_stack_bytes_kernel, PROT_READ | PROT_WRITE,
                                 k_private_anonymous_fixed, ~uint64_t{0}, 0);
    if (got != static_cast<long>(at)) stub_fail();
    return at;
}

} // namespace

extern "C" [[noreturn]] void iso_stub_main(uint64_t const*) {
    map_fixed(k_control_base, 2 * k_page, PROT_READ | PROT_WRITE, k_control_fd, 0);
    map_fixed(k_slots_base, uint64_t{k_max_slots} * k_slot_bytes, PROT_READ | PROT_WRITE,
              k_control_fd, slot_offset(0));
    Control& control = *reinterpret_cast<Control*>(k_control_base);
    confine_common(control.monitor_pid, k_bell_fd);
    KernelLaunch const launch = control.launch;
    map_memory(launch);
    require(system_call(SYS_close, k_control_fd));
    require(system_call(SYS_close, k_ram_fd));
    install_handlers(reinterpret_cast<uint64_t>(&iso_signal_entry), map_signal_stack(),
                     k_signal_stack_bytes_kernel);
    unblock_signals();
    g_filter.link(k_kernel_filter, iso_gate_return);
    iso_kernel_finish(&g_filter.program, launch.entry, launch.boot_info);
}

} // namespace iso::pv
