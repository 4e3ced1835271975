#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace iso {

/// How a run ended.
enum class Ended { exited, signalled, timeout, killed, engine_failed };

/// Absolute CLOCK_MONOTONIC nanoseconds at which each phase began; absent when it was not reached.
struct Phases {
    std::optional<std::uint64_t> create;  ///< the engine starts to build the isolation
    std::optional<std::uint64_t> load;    ///< the isolation stands; the program is being loaded
    std::optional<std::uint64_t> enter;   ///< control is about to pass to the program
    std::optional<std::uint64_t> exit;    ///< the engine learnt that the program ended
    std::optional<std::uint64_t> destroy; ///< everything is torn down as far as the engine can see
};

/// What an engine says about one run on --report-fd: one JSON object, schema "isolab.run/1".
/// Documented in docs/engine-contract.md. What an engine cannot count it leaves out.
struct RunReport {
    static constexpr char const* schema = "isolab.run/1";

    std::string engine;
    std::string backend;
    Ended ended = Ended::engine_failed;
    int status = 0; ///< exit status of the program when it exited
    int signal = 0; ///< the signal when it was killed by one
    Phases phases;
    std::map<std::string, std::uint64_t>
        counters;                             ///< dotted names: "kvm.exits", "guest.syscall.write"
    std::map<std::string, std::string> facts; ///< text about the run: "cpuid.vendor"
    std::optional<Error> failure;             ///< set when the engine failed

    /// What `run` exits with: the program's own status, 128+n, 124, 125 (or the failure's own).
    [[nodiscard]] int exit_status() const;
};

[[nodiscard]] char const* to_string(Ended ended);

/// One line of JSON, newline included.
[[nodiscard]] std::string to_json(RunReport const& report);

/// Reads a report that came over a pipe. Errors: not JSON, another schema, wrong types.
Result<RunReport> parse_report(std::string const& json);

/// Writes the report to a descriptor inherited from the caller; `fd` < 0 does nothing.
Result<void> write_report(int fd, RunReport const& report);

} // namespace iso
