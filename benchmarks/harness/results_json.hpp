#pragma once

#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/results.hpp"

#include <string>

namespace iso::bench {

// Documented in docs/results-schema.md. A change of meaning changes the schema's number.

/// One JSON document, schema "isolab.results/1", newline included.
std::string to_json(Results const& results);
/// Errors: not JSON, another schema, a key that is missing or of another type (it is named).
Result<Results> parse_results(std::string const& text);

/// One sample as one JSON document.
std::string to_json(Sample const& sample);

/// What `isobench probe --json` prints, schema "isolab.machine/1".
std::string probe_json(Environment const& environment, Lineup const& lineup);

/// What `isobench list --json` prints, schema "isolab.list/1".
std::string list_json(std::string const& workload_directory);

} // namespace iso::bench
