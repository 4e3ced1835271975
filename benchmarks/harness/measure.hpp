#pragma once

#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/spawn.hpp"
#include "common/engine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iso::bench {

/// What one process did, seen from outside: nothing here trusts the process.
struct RawRun {
    std::uint64_t spawn_ns = 0;                   ///< CLOCK_MONOTONIC just before it was made
    std::uint64_t reaped_ns = 0;                  ///< CLOCK_MONOTONIC when it had been reaped
    std::optional<std::uint64_t> first_output_ns; ///< when its first byte on stdout had arrived
    std::uint64_t user_ns = 0; ///< CPU time of it and of every descendant that was waited for
    std::uint64_t system_ns = 0;
    std::uint64_t minor_faults = 0;
    std::uint64_t voluntary_switches = 0;
    std::uint64_t involuntary_switches = 0;
    std::uint64_t max_rss_kib = 0;
    int wait_status = 0;
    bool timed_out = false;
    bool flooded = false;     ///< ended because it wrote more than the limit
    bool interrupted = false; ///< ended because the harness was asked to stop
    std::string out;          ///< the first bytes of stdout
    std::uint64_t out_bytes = 0;
    std::string out_sha256;            ///< of all of stdout
    std::string err;                   ///< the first bytes of stderr
    std::string report;                ///< what came over the report pipe
    std::vector<std::string> strays;   ///< processes it left behind (they are gone now)
    bool console = false;              ///< `out` is what stood between the marks on a console
    std::optional<int> program_status; ///< then: what the console said that the program ended with
    std::string last_words;            ///< then: the last line that was not the program's

    [[nodiscard]] std::uint64_t wall_ns() const { return reaped_ns - spawn_ns; }
    [[nodiscard]] std::uint64_t cpu_ns() const { return user_ns + system_ns; }
    /// The status a shell would show; 124 when it was ended for its time.
    [[nodiscard]] int exit_status() const;
};

struct MeasureRequest {
    std::vector<std::string> command;
    bool report = false; ///< give it a report pipe on descriptor k_report_fd
    std::optional<int> cpu;
    RunManner manner;             ///< with the signal that it gets first when it has to end early
    std::uint64_t timeout_ns = 0; ///< 0: none
    std::function<void(pid_t)> before_exec = {};           ///< see SpawnRequest
    std::uint64_t output_limit = std::uint64_t{16} << 20U; ///< bytes of stdout and stderr together
};

/// Runs one process to its end. Precondition: become_subreaper() was called and the harness has no
/// other children. Errors: it could not be started, or the harness itself failed.
Result<RawRun> measure(MeasureRequest const& request, Interrupts& interrupts);

} // namespace iso::bench
