#pragma once

#include "benchmarks/report/over_time.hpp"

#include <string>
#include <vector>

namespace iso::bench::report {

/// One cell of the table over time, a lane for each engine, each with a scale of its own: a change
/// of 3 % shows in a ratio of 1.2 and in one of 800. Precondition: at least one trend, all of one
/// machine, workload and metric, each with two numbers.
std::string over_time_chart(OverTime const& past, std::vector<history::Trend const*> const& lanes);

} // namespace iso::bench::report
