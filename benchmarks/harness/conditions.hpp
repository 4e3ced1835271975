#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace iso::bench {

/// What the machine did besides, while something was measured on it.
struct Conditions {
    /// Of the time of all CPUs, what the hypervisor above gave to others; null: it does not say.
    std::optional<double> steal;
    /// By resource, the share of the time in which some task had to wait for it (PSI "some"); what
    /// is measured waits, too. Empty: this kernel does not say.
    std::map<std::string, double> pressure;
    std::optional<double> load; ///< of the last minute, at the end
};

/// Reads the kernel's counters when it is made, and again when it is asked.
class ConditionMeter {
public:
    ConditionMeter();
    [[nodiscard]] Conditions so_far() const;

private:
    struct Counters {
        std::optional<double> cpu_ticks; ///< of all CPUs
        double stolen_ticks = 0;
        std::map<std::string, std::uint64_t> waited_us;
        std::uint64_t at_ns = 0;
    };
    static Counters read();
    Counters before_;
};

} // namespace iso::bench
