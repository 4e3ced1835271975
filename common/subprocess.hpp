#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso {

/// What a finished child left behind.
struct Finished {
    int wait_status = 0; ///< as from waitpid(2)
    bool timed_out = false;
    std::string out; ///< its stdout
    std::string err; ///< its stderr

    /// The status a shell would show; 124 when it was ended for its time.
    [[nodiscard]] int exit_status() const;
};

/// Runs a command to its end, captures both outputs (at most 16 MiB each, the rest is dropped),
/// gives it `input` on stdin, and kills its process group after `timeout_ns` (0: never).
/// Errors: the command cannot be started.
Result<Finished> run_and_capture(std::vector<std::string> const& command, std::uint64_t timeout_ns,
                                 std::string const& input = {});

} // namespace iso
