#include "paravirt-demo/counters.hpp"

#include <fmt/format.h>

namespace iso::pv {

namespace {

std::string hypercall_name(unsigned number) {
    switch (number) {
    case ISO_HC_SET_TRAP_TABLE:
        return "set_trap_table";
    case ISO_HC_MMU_UPDATE:
        return "mmu_update";
    case ISO_HC_STACK_SWITCH:
        return "stack_switch";
    case ISO_HC_FPU_TASKSWITCH:
        return "fpu_taskswitch";
    case ISO_HC_MULTICALL:
        return "multicall";
    case ISO_HC_UPDATE_VA_MAPPING:
        return "update_va_mapping";
    case ISO_HC_SET_TIMER_OP:
        return "set_timer_op";
    case ISO_HC_XEN_VERSION:
        return "xen_version";
    case ISO_HC_IRET:
        return "iret";
    case ISO_HC_MMUEXT_OP:
        return "mmuext_op";
    case ISO_HC_SCHED_OP:
        return "sched_op";
    case ISO_HC_CALLBACK_OP:
        return "callback_op";
    case ISO_HC_EVENT_CHANNEL_OP:
        return "event_channel_op";
    case ISO_HC_BLOCK_OP:
        return "block_op";
    case ISO_HC_DOORBELL:
        return "doorbell";
    default:
        return fmt::format("{}", number);
    }
}

std::string event_name(unsigned vector) {
    switch (vector) {
    case 0:
        return "divide_error";
    case 1:
        return "debug";
    case 3:
        return "breakpoint";
    case 6:
        return "invalid_opcode";
    case 13:
        return "general_protection";
    case 14:
        return "page_fault";
    case 17:
        return "alignment_check";
    case 18:
        return "space_dead";
    case 19:
        return "simd";
    case k_event_syscall:
        return "system_call";
    case k_event_tick:
        return "tick";
    default:
        return fmt::format("vector_{}", vector);
    }
}

} // namespace

void add_boundary_counters(Counters& counters, ControlBlock const& block, Monitor const& monitor,
                           Doorbell const& doorbell) {
    Control const control = block.control(); // once: what K may write changes under our eyes
    std::uint64_t calls = 0;
    for (unsigned number = 0; number < ISO_HYPERCALL_COUNT; ++number) {
        calls += control.hypercalls[number];
        if (control.hypercalls[number] != 0)
            counters["hypercall." + hypercall_name(number)] = control.hypercalls[number];
        if (monitor.crossings()[number] != 0)
            counters["monitor." + hypercall_name(number)] = monitor.crossings()[number];
    }
    counters["hypercalls"] = calls;
    std::uint64_t events = 0;
    for (unsigned vector = 0; vector < 64; ++vector) {
        events += control.events[vector];
        if (control.events[vector] != 0)
            counters["event." + event_name(vector)] = control.events[vector];
    }
    counters["boundary.crossings"] = events; // each is a way into the guest kernel and a way back
    counters["mapper.maps"] = control.map_commands;
    counters["mapper.pages"] = control.map_pages;
    counters["mapper.unmaps"] = control.unmap_commands;
    counters["mapper.protects"] = control.protect_commands;
    counters["mapper.barriers"] = control.mapper_barriers;
    counters["fpu.copies"] = control.fpu_copies;
    counters["monitor.ticks"] = monitor.ticks();
    counters["monitor.spares_used"] = monitor.spares_used();
    counters["monitor.processes"] = monitor.spaces_started() + 1;
    add_doorbell_counters(counters, doorbell);
}

void add_host_counters(Counters& counters, rusage const& children) {
    rusage self{};
    ::getrusage(RUSAGE_SELF, &self);
    auto sum = [&](long rusage::*field) {
        return static_cast<std::uint64_t>(self.*field + children.*field);
    };
    counters["host.minor_faults"] = sum(&rusage::ru_minflt);
    counters["host.voluntary_switches"] = sum(&rusage::ru_nvcsw);
    counters["host.involuntary_switches"] = sum(&rusage::ru_nivcsw);
    counters["host.max_rss_kib"] =
        static_cast<std::uint64_t>(std::max(self.ru_maxrss, children.ru_maxrss));
}

} // namespace iso::pv
