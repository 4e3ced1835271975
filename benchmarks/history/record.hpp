#pragma once

#include "benchmarks/harness/results.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

// A history as it is in memory: what the database holds, and what an export says.
namespace iso::bench::history {

/// A machine as far as numbers of it may be compared (benchmarks/harness/machine_identity.hpp).
struct Machine {
    std::string id; ///< of its facts, see machine_id()
    std::map<std::string, std::string> facts;

    friend bool operator==(Machine const&, Machine const&) = default;
    friend auto operator<=>(Machine const&, Machine const&) = default;
    /// "Xeon ..., 2 CPUs, hypervisor KVM, KVM backend kvm_pvm".
    [[nodiscard]] std::string words() const;
};

std::string machine_id(std::map<std::string, std::string> const& facts);

/// One result file that was added.
struct Run {
    std::string id; ///< of what was measured: the same samples are the same run
    std::string machine;
    std::string date;   ///< "2026-01-02T03:04:05Z": its place in the history
    std::string commit; ///< of what was measured, or another name for it; may be empty
    std::string mode;   ///< "quick", "full"
    std::uint64_t seed = 0;
    std::map<std::string, std::string> facts; ///< what may differ on one machine, but is told

    friend bool operator==(Run const&, Run const&) = default;
};

/// What makes points comparable. Anything else is another series.
struct SeriesKey {
    std::string machine;
    std::string workload;
    std::string metric;
    std::string engine;
    std::string backend;
    std::string sha256; ///< of the workload's file
    std::vector<std::string> arguments;
    std::uint64_t ops = 0;
    Kind kind = Kind::compute;
    Comparison comparison = Comparison::ratio;
    std::string unit; ///< of `added`; of a ratio there is none

    friend bool operator==(SeriesKey const&, SeriesKey const&) = default;
    friend auto operator<=>(SeriesKey const&, SeriesKey const&) = default;
};

/// What a run says about a series: a number, or why there is none.
struct Point {
    std::string run;
    Status status = Status::incomplete;
    std::string reason;          ///< of a status that is not ok
    std::optional<double> value; ///< median over blocks of the ratio to native, or of what is added
    std::optional<double> low;   ///< its 95 % interval
    std::optional<double> high;
    std::optional<double> whole; ///< the engine's own median, native's part included
    std::uint64_t n = 0;         ///< blocks
    bool emulated = false;       ///< it is about this host's emulation, not about hardware

    friend bool operator==(Point const&, Point const&) = default;
};

struct Series {
    SeriesKey key;
    std::vector<Point> points;

    friend bool operator==(Series const&, Series const&) = default;
};

struct History {
    std::vector<Machine> machines;
    std::vector<Run> runs;
    std::vector<Series> series;

    [[nodiscard]] Run const* run(std::string const& id) const;
    [[nodiscard]] Machine const* machine(std::string const& id) const;

    /// Machines by id, runs and points by date (then id), series by key: the one order in which
    /// everything is shown and written.
    void sort();

    friend bool operator==(History const&, History const&) = default;
};

} // namespace iso::bench::history
