#pragma once

#include "benchmarks/harness/host_counters.hpp"
#include "benchmarks/harness/measure.hpp"
#include "common/engine.hpp"
#include "common/report.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace iso::bench {

/// The line of JSON that a workload of the project prints.
struct OwnOutput {
    std::string workload;
    std::uint64_t ops = 0;
    std::uint64_t ns = 0; ///< of its loop, by its own clock
    std::string checksum;
    std::uint64_t bytes = 0;    ///< that all operations moved; 0: that is not what they are about
    std::uint64_t entry_ns = 0; ///< CLOCK_MONOTONIC at its first instructions
    std::string identity;       ///< of an identity run; then everything else is empty
    std::string not_available = {}; ///< what this kernel does not offer; then there is no result
};

/// Errors: not exactly one line of JSON, or a key is missing.
Result<OwnOutput> parse_own_output(std::string const& text);

/// What a run is for.
enum class Role {
    identity, ///< untimed: the workload hashes what is mapped
    warm_up,  ///< timed, and discarded
    baseline, ///< the same workload with ops=0
    measure,
};

[[nodiscard]] std::string_view to_string(Role role);
Result<Role> parse_role(std::string_view text);

/// One run of one workload in one arm. Everything a result rests on is in here, and in the file.
struct Sample {
    std::string workload;
    std::string arm;
    Role role = Role::measure;
    std::uint64_t block = 0;   ///< of this workload
    std::uint64_t order = 0;   ///< which one in its block it was
    std::uint64_t at_ns = 0;   ///< CLOCK_MONOTONIC just before the process was made
    std::uint64_t wall_ns = 0; ///< from there until it was reaped
    std::uint64_t user_ns = 0; ///< CPU time of the process tree
    std::uint64_t system_ns = 0;
    std::optional<std::uint64_t> first_output_ns; ///< absolute
    std::optional<OwnOutput> own;
    int exit_status = 0;
    std::string out_sha256;
    std::string backend;
    Phases phases;
    std::map<std::string, std::uint64_t> counters; ///< the engine's, and ours under "harness."
    std::map<std::string, std::string> facts;
    bool clock_disagrees = false; ///< its own time is longer than the time it was alive
    std::string failure;          ///< why it does not count; empty: it does
    std::string not_available;    ///< the workload says that this kernel cannot do it, and why
    std::uint64_t part = 1;       ///< of a comparison that was interrupted and went on
    std::string unused = {};      ///< why no number is made of it, though it did not fail

    [[nodiscard]] std::uint64_t cpu_ns() const { return user_ns + system_ns; }
    /// Whether it says something about its block.
    [[nodiscard]] bool good() const {
        return failure.empty() && not_available.empty() && unused.empty();
    }
};

/// How the directories of samples with a disk begin; held by TempDir::create_held().
inline constexpr char const* k_disk_prefix = "isobench-disk";

/// What to run, and how.
struct SampleRequest {
    Engine const* engine = nullptr;
    std::string program; ///< absolute
    std::vector<std::string> arguments;
    std::optional<int> cpu;
    std::uint64_t timeout_ns = 0;
    HostCounters* counters = nullptr; ///< nullptr: the host's kernel counts nothing
    bool on_disk = false;             ///< it gets dir=, a new directory on a disk
    bool own_workload = true;         ///< it has to print one line of JSON and to exit 0
};

/// A sample together with the bytes that it wrote.
struct Taken {
    Sample sample;
    RawRun raw;
};

/// A reason with the last thing that the engine, or the machine in it, said.
std::string with_last_words(std::string reason, RawRun const& raw);

/// Runs and judges one sample. Errors: only the harness's own; a run that fails is a Sample with a
/// failure. `raw.interrupted` says that the person asked to stop.
Result<Taken> take_sample(SampleRequest const& request, Interrupts& interrupts);

} // namespace iso::bench
