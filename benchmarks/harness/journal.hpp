#pragma once

#include "benchmarks/harness/compare_options.hpp"
#include "benchmarks/harness/results.hpp"
#include "common/fd.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>
#include <vector>

namespace iso::bench {

/// What a comparison is: what has to be the same when it goes on.
struct RunPlan {
    CompareOptions options;
    Environment environment;
    std::string machine; ///< a hash that names this installation; empty: it has none
    std::optional<int> cpu;
    std::vector<EngineRecord> engines;
    std::vector<WorkloadRecord> workloads; ///< as planned: operations may be cut later
};

/// An arm that was taken out of a workload.
struct Condemned {
    std::string workload;
    std::string arm;
    Status status = Status::failed;
    std::string reason;
};

/// What a comparison had when it was interrupted.
struct Recorded {
    std::vector<Sample> samples; ///< those of unfinished blocks are marked as unused
    std::vector<Condemned> condemned;
    std::map<std::string, std::uint64_t> blocks; ///< finished ones, by workload
    std::map<std::string, std::string> stopped;  ///< why, by workload
    std::map<std::string, std::uint64_t> ops;    ///< what they were cut to; empty: not yet
    std::vector<PartRecord> parts;
    std::uint64_t elapsed_ns = 0;
};

/// What a sample is when its block was not finished.
inline constexpr char const* k_unfinished_block =
    "the run was interrupted before its block was complete; the block was run again";

/// The samples of a comparison while it runs, in a file beside the one that is to be written: one
/// line of JSON for each, whole in the file before the next sample begins, and on the disk when its
/// block is complete (a block counts only as a whole). Each line begins with its own hash, so that
/// a torn end is known. Held by flock(2): no two runs write one.
class [[nodiscard]] Journal {
public:
    static constexpr char const* schema = "isolab.journal/1";

    /// FILE.samples of a result file.
    static std::string path_for(std::string const& results_path);

    /// Begins one. Errors (exit status 2): there are samples in one already, another run writes it,
    /// the file is something else.
    static Result<Journal> create(std::string const& results_path);
    /// Goes on with one; what was torn off at its end is cut. Errors (exit status 2): there is
    /// none, it is damaged, another run writes it.
    static Result<Journal> reopen(std::string const& results_path);

    [[nodiscard]] RunPlan const& plan() const { return plan_; }
    [[nodiscard]] Recorded const& recorded() const { return recorded_; }
    [[nodiscard]] std::string const& path() const { return path_; }
    /// Samples are in it, from now or before.
    [[nodiscard]] bool has_samples() const { return samples_ != 0; }

    // Each writes a line. Errors: the file does not take it.
    Result<void> write(RunPlan const& plan);
    Result<void> write(PartRecord const& part);
    Result<void> write(Sample const& sample, std::optional<Condemned> const& condemned);
    Result<void> write(Condemned const& condemned);
    Result<void> write_operations(std::map<std::string, std::uint64_t> const& ops);
    /// Everything so far is on the disk when this returns.
    Result<void> write_block(std::string const& workload, std::uint64_t block,
                             std::uint64_t elapsed_ns);
    Result<void> write_stop(std::string const& workload, std::string const& reason);

    /// The results are written (or there is nothing to keep): it is not needed any more.
    Result<void> remove() const;

private:
    static Result<Journal> open(std::string const& results_path, int flags);
    Result<void> append(nlohmann::json const& line);

    std::string path_;
    Fd fd_;
    RunPlan plan_;
    Recorded recorded_;
    std::uint64_t samples_ = 0;
};

/// What the lines of a journal say. Public for its tests.
struct JournalText {
    bool begun = false; ///< its first line is whole
    RunPlan plan;
    Recorded recorded;
    std::size_t good_bytes = 0; ///< what follows is torn
};

/// Errors: damaged where it was safe on the disk; of another version.
Result<JournalText> read_journal(std::string const& text);

/// A line with its hash, and the newline.
std::string journal_line(nlohmann::json const& line);

} // namespace iso::bench
