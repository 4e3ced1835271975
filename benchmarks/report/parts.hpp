#pragma once

#include "benchmarks/report/inputs.hpp"
#include "benchmarks/report/references.hpp"
#include "benchmarks/report/view.hpp"

#include <string>
#include <vector>

// The parts of the page, from top to bottom.
namespace iso::bench::report {

/// An entry of the table of contents.
struct Part {
    std::string id;
    std::string title;
};

std::string masthead(std::vector<Input> const& inputs);
std::string navigation(std::vector<Part> const& contents);

/// Machine, kernel, backend, seed, blocks: what every number depends on.
std::string machine_facts(Results const& results);

/// Everything about one result, with headings of this level; adds its parts to the contents.
std::string one_result(View const& view, References const& references, std::vector<Part>& contents,
                       int level);

/// In words: what each engine costs, what did not run, what to know before believing it.
std::string in_short(View const& view);
std::string troubles(View const& view);
std::string machine_in_full(View const& view);

/// Several results: what they are, how they differ, and why they are not averaged.
std::string side_by_side(std::vector<Input> const& inputs, std::vector<Part>& contents);
/// Ratios over time, one line for each machine and each workload's bytes; "" for fewer than two.
std::string history(std::vector<Input> const& inputs, std::vector<Part>& contents);

std::string published(References const& references, std::vector<Part>& contents);

} // namespace iso::bench::report
