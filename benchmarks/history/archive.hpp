#pragma once

#include "benchmarks/history/record.hpp"
#include "common/result.hpp"

#include <string>

namespace iso::bench::history {

/// A history as one JSON document, schema "isolab.history/1": sorted, each machine, run and point
/// on a line of its own, so that the file of a branch changes by the lines that came. The same
/// history is the same text. Precondition: sorted.
std::string export_json(History const& history);

/// Reads it back, and checks that it says what a history can say. Errors (exit status 2): not JSON,
/// another schema, a key that is missing or of another type, a number that is none, a run or a
/// machine that is not there, anything twice.
Result<History> parse_export(std::string const& text);

} // namespace iso::bench::history
