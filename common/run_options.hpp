#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iso {

/// `--add HOST[:GUEST]`: a host file or directory that appears, read-only, inside.
struct AddedPath {
    std::string host;
    std::string guest; ///< absolute
};

enum class StatsFormat { none, text, json };

/// The options of `run`, the same in every engine (docs/engine-contract.md).
struct RunOptions {
    std::string program;                ///< as typed: becomes argv[0]
    std::vector<std::string> arguments; ///< argv[1..]
    std::vector<std::string>
        environment; ///< exactly these NAME=VALUE strings; nothing is inherited
    std::vector<AddedPath> added;
    std::vector<AddedPath>
        bound;        ///< the same, but writable: of engines that share the host's kernel
    std::string root; ///< a directory to use as root; empty: an otherwise empty root
    std::string disk; ///< a host file that is the guest's disk; empty: none
    std::uint64_t disk_bytes = 0; ///< the size it is created with; 0: the engine's default
    std::string workdir = "/";
    std::uint64_t timeout_ns = 0;   ///< 0: none
    std::uint64_t memory_bytes = 0; ///< 0: the engine's default
    int report_fd = -1;
    bool explain = false;
    bool trace = false;
    StatsFormat stats = StatsFormat::none;
};

/// Declares the shared options, and the trailing PROGRAM [ARG...], on a `run` subcommand.
/// Everything from PROGRAM on belongs to the program, with or without `--` before it.
void add_run_options(CLI::App& run, RunOptions& options);

/// How a program's command line was understood.
struct CommandLine {
    bool proceed = false; ///< false: help, version or a usage error was printed
    int exit_status = 0;  ///< what to end with when not proceeding
};

/// Parses, prints help to stdout or a usage error to stderr, and turns CLI11's codes into ours:
/// 0 for help, 125 for a wrongly called `run`, 2 for any other wrongly called verb.
/// `options` receives PROGRAM and its arguments when the app has a `run` subcommand, else nullptr.
CommandLine parse_command_line(CLI::App& app, int argc, char const* const* argv,
                               RunOptions* options);

} // namespace iso
