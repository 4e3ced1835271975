#pragma once

#include "benchmarks/report/references.hpp"
#include "benchmarks/report/view.hpp"

#include <functional>
#include <string>
#include <vector>

// Each function draws one kind of chart with its table of numbers, as markup; "" when the results
// hold nothing for it.
namespace iso::bench::report {

/// Bars from native to each engine's number, with intervals and published figures beside them.
std::string ratio_chart(View const& view, Section const& section, References const& references);

/// Engine by workload, one colour for each step of the cost.
std::string heat_map(View const& view);

/// How many of the runs of a workload had ended after so many milliseconds.
std::string start_chart(View const& view, WorkloadRecord const& workload,
                        References const& references);

/// Of a crowd of idle instances: the start of the k-th, and the memory that one more of them holds.
std::string instance_chart(View const& view, WorkloadRecord const& workload);
std::string memory_chart(View const& view, WorkloadRecord const& workload);

/// What an operation's extra time consists of, as far as counts and prices tell.
std::string overhead_chart(View const& view);

/// Each block's number beside its engine's median, in the order of measuring.
std::string block_chart(View const& view, Row const& row);

/// A picture for wide windows and paper, and one for narrow windows; the style sheet shows one.
std::string
both_widths(std::string const& id,
            std::function<std::string(std::string const& id, double width)> const& draw);

} // namespace iso::bench::report
