#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::pv {

/// Where the domain's processes run, and how its two sides wait for each other. The boundary's cost
/// is the cost of switching between processes: on one core a few microseconds, between sleeping
/// cores ten times that, between spinning ones a tenth.
struct Placement {
    unsigned cores = 1;
    bool spin = false;

    /// Restricts this process, and so all it starts, to `cores` of the CPUs it may use.
    /// Errors: fewer CPUs than asked for; spinning on one core (each side would wait for the
    /// other's time slice to end).
    [[nodiscard]] Result<std::string> apply() const;
    /// Iterations to spin before sleeping.
    [[nodiscard]] unsigned spin_iterations() const { return spin ? 20'000 : 0; }
};

} // namespace iso::pv
