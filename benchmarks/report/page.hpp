#pragma once

#include "benchmarks/report/inputs.hpp"
#include "benchmarks/report/references.hpp"

#include <string>
#include <vector>

namespace iso::bench::report {

/// The whole page: one HTML document that loads nothing. Precondition: at least one input.
std::string page(std::vector<Input> const& inputs, References const& references);

} // namespace iso::bench::report
