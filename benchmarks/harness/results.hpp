#pragma once

#include "benchmarks/harness/conditions.hpp"
#include "benchmarks/harness/environment.hpp"
#include "benchmarks/harness/manifest.hpp"
#include "benchmarks/harness/sample.hpp"
#include "benchmarks/harness/unit_costs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace iso::bench {

/// What a cell's number is compared with native by.
enum class Comparison {
    ratio,
    added,
    alone, ///< not with native: with the same engine's own time without a neighbour
};

enum class Status {
    ok,
    unavailable,  ///< the engine cannot run here, or its kernel does not offer what this is about
    failed,       ///< a sample failed
    void_,        ///< the bytes or the results differ: the numbers mean nothing
    incomplete,   ///< too few samples
    inconclusive, ///< its two metrics disagree: there are numbers, but no answer
};

[[nodiscard]] std::string_view to_string(Status status);
[[nodiscard]] std::string_view to_string(Comparison comparison);

/// One column.
struct EngineRecord {
    std::string name;
    std::string technique;
    std::string backend;
    bool usable = false;
    bool control = false;
    std::string reason;
    std::string next_step;
    bool peer = false;       ///< not ours: described in a file
    std::string path = {};   ///< of the program that is the engine; empty: there is none
    std::string sha256 = {}; ///< of that file
};

/// A comparison that was interrupted goes on in another part, perhaps days later.
struct PartRecord {
    std::string date;
    std::string boot_id; ///< of the kernel: times of two parts are on one clock if it is the same
    std::string load;
    std::uint64_t samples = 0;                 ///< that were taken in it
    std::uint64_t unused = 0;                  ///< of these: in blocks that it did not finish
    std::optional<Conditions> conditions = {}; ///< during it; nothing when it was cut off
    std::uint64_t harness_cpu_ns = 0;          ///< of isobench itself, while it took them
    std::uint64_t harness_wall_ns = 0;         ///< what was not spent in samples
};

inline constexpr char const* k_stopped_by_interruption = "interrupted";

/// One row (or two: start-up has two cells).
struct WorkloadRecord {
    std::string name;
    Kind kind = Kind::compute;
    std::string path;
    std::vector<std::string> arguments;
    std::uint64_t ops = 0;
    std::string sha256;          ///< of the file
    std::string identity;        ///< of its mapped segments; empty for a foreign program
    std::uint64_t blocks = 0;    ///< that were measured
    std::string stopped_because; ///< "blocks", "interval", "time budget", "interrupted"
    std::string group = {};      ///< the section of the table; empty for a foreign program
    std::string neighbour = {};  ///< what runs beside it, with its arguments; empty: nothing
    std::string neighbour_sha256 = {};
};

/// One number, with everything that is needed to believe it.
struct Cell {
    std::string engine; ///< the column's name
    std::string backend;
    std::string workload;
    std::string metric;   ///< "cpu-time", "own-time", "start-up", "start-to-exit", "first-output"
    std::string unit;     ///< of `median`, `added` and p99
    bool deciding = true; ///< shown in the table
    Comparison comparison = Comparison::ratio;
    Status status = Status::incomplete;
    std::string reason;           ///< of a status that is not ok
    std::optional<double> median; ///< in this engine
    std::optional<double> p99;    ///< from 100 samples on
    std::optional<double> ratio;  ///< median over blocks of engine / native
    std::optional<double> added;  ///< median over blocks of engine - native
    std::optional<double> ci_low; ///< 95 %, of what `comparison` names
    std::optional<double> ci_high;
    std::uint64_t n = 0; ///< blocks in it
    std::string sha256;
    std::string checksum;
    bool identity_proved = false;
    double emulated_share = 0; ///< of its CPU time, estimated from the emulated instructions
    bool emulated = false;     ///< dominated enough that it says nothing about hardware
    double bytes_per_op = 0;   ///< moved by one operation; 0: that is not what it is about
    std::map<std::string, double> per_op; ///< counters per operation, start-up subtracted

    /// What `comparison` names.
    [[nodiscard]] std::optional<double> effect() const {
        if (comparison == Comparison::alone) return median;
        return comparison == Comparison::ratio ? ratio : added;
    }
};

/// What one operation's extra time is made of (decomposition.hpp).
struct Decomposition {
    struct Cost {
        std::string what;
        double count;   ///< more than natively, per operation
        double unit_ns; ///< measured in the same run
        [[nodiscard]] double ns() const { return count * unit_ns; }
    };
    std::string engine;
    std::string workload;
    double added_ns = 0; ///< more than natively, per operation
    std::vector<Cost> costs;

    [[nodiscard]] double explained_ns() const;
    [[nodiscard]] double rest_ns() const { return added_ns - explained_ns(); }
};

/// One comparison: what --json writes and every report is made of.
struct Results {
    static constexpr char const* schema = "isolab.results/1";

    Environment environment;
    std::string mode;    ///< "quick", "full"
    bool counts = false; ///< runs were counted, and their times mean nothing
    std::uint64_t seed = 0;
    std::optional<int> cpu; ///< samples were pinned to it
    std::uint64_t time_budget_ns = 0;
    std::uint64_t elapsed_ns = 0;
    std::vector<EngineRecord> engines;
    std::vector<WorkloadRecord> workloads;
    std::vector<Cell> cells;
    std::vector<Sample> samples;
    std::vector<std::string> warnings;
    UnitCosts unit_costs; ///< empty: not measured
    std::vector<Decomposition> decompositions;
    std::vector<PartRecord> parts; ///< one, unless it was interrupted and went on

    /// Everything that was meant to run did run, and nothing is void.
    [[nodiscard]] bool complete() const;
    [[nodiscard]] Cell const* find(std::string_view workload, std::string_view metric,
                                   std::string_view engine) const;
};

} // namespace iso::bench
