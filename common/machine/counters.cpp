#include "common/machine/counters.hpp"

#include "common/abi/guest_abi.h"
#include "common/json.hpp"
#include "common/machine/trace.hpp"

#include <fmt/format.h>

namespace iso {

void add_guest_counters(Counters& counters, GuestMemory const& memory) {
    auto const counted = memory.fetch<iso_counters>({ISO_COUNTERS_GPA});
    if (!counted) return;
    counters["guest.page_faults"] = counted->page_faults;
    counters["guest.pages_mapped"] = counted->pages_mapped;
    counters["guest.bad_pointers"] = counted->bad_pointers;
    counters["guest.frames_used"] = counted->frames_used;
    counters["guest.console_flushes"] = counted->console_flushes;
    std::uint64_t all = 0;
    for (std::uint32_t number = 0; number < ISO_COUNTED_SYSCALLS; ++number) {
        std::uint64_t const count = counted->syscalls[number];
        if (count == 0) continue;
        all += count;
        SyscallInfo const info = syscall_info(number);
        counters[info.name.empty() ? fmt::format("guest.syscall.{}", number)
                                   : fmt::format("guest.syscall.{}", info.name)] = count;
    }
    counters["guest.syscalls"] = all;
}

void add_doorbell_counters(Counters& counters, Doorbell const& doorbell) {
    auto const& operations = doorbell.counts();
    for (std::uint32_t operation = 0; operation < operations.size(); ++operation) {
        if (operations[operation] == 0) continue;
        char const* const name = Doorbell::name(operation);
        counters[fmt::format("doorbell.{}", name != nullptr ? name : "unknown")] =
            operations[operation];
    }
}

std::string format_stats(RunReport const& report, StatsFormat format) {
    if (format == StatsFormat::json)
        return nlohmann::json{{"engine", report.engine},
                              {"backend", report.backend},
                              {"counters", report.counters},
                              {"facts", report.facts}}
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string text = fmt::format("{} on {}: {}, exit status {}", report.engine, report.backend,
                                   to_string(report.ended), report.exit_status());
    for (auto const& [name, value] : report.facts)
        text += fmt::format("\n  {:<40} {}", name, value);
    for (auto const& [name, value] : report.counters)
        if (value != 0) text += fmt::format("\n  {:<40} {:>16}", name, value);
    return text;
}

} // namespace iso
