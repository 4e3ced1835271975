#include "vmm-mini/exit_counters.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace iso::vmm {

void add_exit_counters(Counters& counters, ExitCounts const& exits) {
    for (std::uint32_t reason = 0; reason < exits.size(); ++reason)
        if (exits[reason] != 0)
            counters[fmt::format("exit.{}", exit_name(reason))] += exits[reason];
}

void add_host_counters(Counters& counters) {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
    counters["host.minor_faults"] = static_cast<std::uint64_t>(usage.ru_minflt);
    counters["host.voluntary_switches"] = static_cast<std::uint64_t>(usage.ru_nvcsw);
    counters["host.involuntary_switches"] = static_cast<std::uint64_t>(usage.ru_nivcsw);
    counters["host.max_rss_kib"] = static_cast<std::uint64_t>(usage.ru_maxrss);
}

} // namespace iso::vmm
