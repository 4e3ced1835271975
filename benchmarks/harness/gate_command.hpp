#pragma once

#include "benchmarks/gate/verb_gate.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace iso::bench {

/// An option whose value is a time, told to `set` in nanoseconds; zero is refused.
CLI::Option* add_duration(CLI::App& verb, char const* name, std::string const& help,
                          std::function<void(std::uint64_t)> const& set);

/// An option whose value is a share, "1.5%" or "0.015".
void add_share(CLI::App& verb, char const* name, std::string const& help, double& target);

/// `isobench gate` on the command line.
void declare_gate(CLI::App& app, GateOptions& options);

} // namespace iso::bench
