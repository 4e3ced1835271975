#pragma once

#include "benchmarks/history/trend.hpp"
#include "benchmarks/report/parts.hpp"
#include "common/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iso::bench::report {

/// The history of `isobench history` beside the results.
struct OverTime {
    std::string name; ///< of the file
    history::History history;
    std::vector<history::Trend> trends; ///< refer to `history`
    history::TrendRule rule;

    OverTime() = default;
    OverTime(OverTime&&) = default; // a vector's elements stay where they are
    OverTime& operator=(OverTime&&) = default;
    OverTime(OverTime const&) = delete;
    OverTime& operator=(OverTime const&) = delete;

    /// Errors: those of history::load().
    static Result<OverTime> read(std::string const& path);
    static OverTime of(std::string name, history::History history);
};

/// Each cell of each machine over its runs, with the places where it changes; "" for no runs.
std::string over_time(OverTime const& past, std::vector<Part>& contents);

} // namespace iso::bench::report
