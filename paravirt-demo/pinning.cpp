#include "paravirt-demo/pinning.hpp"

#include <fmt/format.h>

#include <sched.h>

namespace iso::pv {

Result<std::string> Placement::apply() const {
    if (spin && cores < 2)
        return error("--spin",
                     "spinning on one core only burns the time slice that the other side waits for",
                     "--cores=2 --spin");
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return sys_error("sched_getaffinity");
    if (CPU_COUNT(&allowed) < static_cast<int>(cores))
        return error("--cores",
                     fmt::format("this process may use {} CPU only", CPU_COUNT(&allowed)),
                     "--cores=1, or a wider taskset");
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    std::string names;
    int const here = ::sched_getcpu(); // no migration for the first one
    for (int cpu = here, seen = 0;
         seen < CPU_SETSIZE && CPU_COUNT(&chosen) < static_cast<int>(cores);
         ++seen, cpu = (cpu + 1) % CPU_SETSIZE) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        CPU_SET(cpu, &chosen);
        names += fmt::format("{}{}", names.empty() ? "" : ",", cpu);
    }
    if (::sched_setaffinity(0, sizeof chosen, &chosen) != 0) return sys_error("sched_setaffinity");
    return names;
}

} // namespace iso::pv
