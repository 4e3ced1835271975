#pragma once

#include "benchmarks/harness/results.hpp"
#include "benchmarks/harness/text.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace iso::bench {

/// Who makes a counter count.
enum class Cause {
    guest,   ///< the program and the engine: the same every time, whatever the machine's load
    outside, ///< timers, interrupts, the scheduler, memory pressure: shown, never judged
    detail,  ///< sizes and times, and counts that are parts of another: not shown in tables
};

/// By its name (docs/engine-contract.md).
Cause cause_of(std::string_view counter);

/// What one counter said in the runs of a cell.
struct Count {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::size_t n = 0;

    void add(std::uint64_t value);
    /// The same in every run.
    [[nodiscard]] bool exact() const { return low == high; }
    friend bool operator==(Count const&, Count const&) = default;
};

/// Every counter of the measured runs of a workload in an arm. A counter that a run does not have
/// counts as 0 there, if another run of the arm has it.
std::map<std::string, Count> counts_of(Results const& results, std::string_view workload,
                                       std::string_view arm);

/// "12", or "12..14" when it was not the same every time.
std::string to_text(Count const& count);

/// What `isobench compare --counts` prints.
std::string render_counts(Results const& results, TableStyle const& style);

} // namespace iso::bench
