#include "benchmarks/harness/conditions.hpp"

#include "benchmarks/harness/environment_sources.hpp"
#include "common/clock.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace iso::bench {

ConditionMeter::ConditionMeter()
    : before_(read()) {}

ConditionMeter::Counters ConditionMeter::read() {
    Counters now;
    if (auto const ticks = sources::cpu_ticks()) {
        now.cpu_ticks = ticks->total;
        now.stolen_ticks = ticks->stolen;
    }
    for (char const* const what : {"cpu", "memory", "io"}) {
        // "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" (Documentation/accounting/psi.rst)
        std::string const text = sources::line_of(std::string("/proc/pressure/") + what);
        auto const total = text.find("total=");
        std::uint64_t us = 0;
        if (total != std::string::npos &&
            std::from_chars(text.data() + total + 6, text.data() + text.size(), us).ec ==
                std::errc{})
            now.waited_us[what] = us;
    }
    now.at_ns = monotonic_ns();
    return now;
}

Conditions ConditionMeter::so_far() const {
    Counters const now = read();
    Conditions seen;
    if (now.cpu_ticks && before_.cpu_ticks && *now.cpu_ticks > *before_.cpu_ticks)
        seen.steal = std::clamp((now.stolen_ticks - before_.stolen_ticks) /
                                    (*now.cpu_ticks - *before_.cpu_ticks),
                                0.0, 1.0);
    double const us = static_cast<double>(now.at_ns - before_.at_ns) / 1e3;
    for (auto const& [what, waited] : now.waited_us)
        if (auto const former = before_.waited_us.find(what);
            former != before_.waited_us.end() && us > 0)
            seen.pressure[what] =
                std::clamp(static_cast<double>(waited - former->second) / us, 0.0, 1.0);
    double load = 0;
    if (::getloadavg(&load, 1) == 1) seen.load = load;
    return seen;
}

} // namespace iso::bench
