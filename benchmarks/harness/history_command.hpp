#pragma once

#include "benchmarks/history/verb_history.hpp"

#include <CLI/CLI.hpp>

namespace iso::bench {

/// `isobench history` and its verbs on the command line.
void declare_history(CLI::App& app, HistoryOptions& options);

} // namespace iso::bench
