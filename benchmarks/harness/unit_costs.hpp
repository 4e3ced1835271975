#pragma once

#include "common/result.hpp"

#include <map>
#include <optional>
#include <string>

namespace iso::bench {

/// What the host charges for one of a thing, in nanoseconds: "system_call", "context_switch", ...
using UnitCosts = std::map<std::string, double>;

/// Measures them by isolab-micro (Google Benchmark) in `directory`, on `cpu` where given: the
/// quickest of nine repetitions, as whatever else the machine does can only add; half a second in
/// all. One that cannot be had here (no /dev/kvm) is left out.
/// Errors: the program is missing, fails, or prints something else.
Result<UnitCosts> measure_unit_costs(std::string const& directory, std::optional<int> cpu);

/// The same from what it printed (Google Benchmark's JSON).
Result<UnitCosts> parse_unit_costs(std::string const& json);

} // namespace iso::bench
