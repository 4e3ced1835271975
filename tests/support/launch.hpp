#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iso::test {

/// The descriptor that a launched program finds open for its report.
inline constexpr int k_report_fd = 200;

/// How a program is started by a test that looks closely.
struct Launch {
    enum class Out {
        captured,
        broken, ///< a pipe that nobody reads
        closed, ///< no descriptor 1
        full,   ///< /dev/full
    };
    std::vector<std::string> command;
    std::optional<std::vector<std::string>> environment; ///< exactly these; nothing: ours
    std::string input;                                   ///< for its stdin, which then ends
    Out out = Out::captured;
    int signal = 0;        ///< to be sent to the program, 0: none
    bool to_group = false; ///< to its whole process group, as a terminal's Ctrl-C is
    std::uint64_t signal_after_ns = 0;
    std::string signal_after_output;            ///< not before this has appeared on stdout
    std::uint64_t patience_ns = 60'000'000'000; ///< after this it is killed, and `hung`
};

/// What was seen.
struct Ran {
    int status = -1; ///< as a shell shows it: 128+n for a death by signal
    bool hung = false;
    std::string out;
    std::string err;
    std::string report;              ///< what arrived on k_report_fd
    std::vector<std::string> strays; ///< processes left behind; ended by us
    std::uint64_t began_ns = 0;      ///< CLOCK_MONOTONIC just before the start
    std::uint64_t ended_ns = 0;
};

/// Runs a program to its end. The caller's process becomes a subreaper, so nothing that the program
/// leaves behind can hide.
Ran launch(Launch const& launch);

} // namespace iso::test
