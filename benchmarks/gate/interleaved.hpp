#pragma once

#include "benchmarks/gate/family_of.hpp"
#include "benchmarks/gate/gate_options.hpp"
#include "benchmarks/gate/side.hpp"
#include "benchmarks/harness/comparison.hpp"

namespace iso::bench {

/// The columns of a gate's run: native, which everything's output is checked against, then for each
/// engine base, base again (A/A) and head. `chosen`: engines; none: every engine but native that
/// works here from either tree.
struct GateLineup {
    Lineup lineup;
    std::vector<std::string> engines; ///< the family's columns
    std::vector<std::string> notes;
    /// Errors: an engine that does not exist (exit status 2).
    static Result<GateLineup> probe(Side const& base, Side const& head,
                                    std::vector<std::string> const& chosen, double inject,
                                    Interrupts& interrupts);
};

/// So few blocks are never enough: a cell of a family of that size could not be significant by
/// them, however large its change (every block agreeing has the probability 2^-n), with some room
/// for blocks that do not agree.
std::uint64_t fewest_blocks(std::size_t family, GateRule const& rule);

/// Whether the cells of a workload need no more blocks.
bool enough(std::vector<GateCell> const& cells, GateRule const& rule);

/// Measures base and head in one run, block by block, until every cell's interval is narrow.
Result<Compared> measure_interleaved(GateOptions const& options, Side const& base,
                                     GateLineup const& lineup, Interrupts& interrupts,
                                     Progress& progress);

/// Workloads whose bytes differ between the trees: both were run with base's.
std::vector<std::string> differing_workloads(Results const& results, Side const& base,
                                             Side const& head);

} // namespace iso::bench
