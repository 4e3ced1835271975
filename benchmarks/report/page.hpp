#pragma once

#include "benchmarks/report/inputs.hpp"
#include "benchmarks/report/over_time.hpp"
#include "benchmarks/report/references.hpp"

#include <string>
#include <vector>

namespace iso::bench::report {

/// The whole page: one HTML document that loads nothing. `past`: nullptr, or the history that is
/// drawn instead of one made of the inputs. Precondition: at least one input, or a history.
std::string page(std::vector<Input> const& inputs, References const& references,
                 OverTime const* past = nullptr);

} // namespace iso::bench::report
