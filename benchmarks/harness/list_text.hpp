#pragma once

#include "benchmarks/harness/manifest.hpp"

#include <string>

namespace iso::bench {

/// The manifest for a terminal; says of each workload whether its file is in the directory.
std::string list_text(std::string const& workload_directory);

/// The manifest as docs/workloads.md.
std::string list_markdown();

} // namespace iso::bench
