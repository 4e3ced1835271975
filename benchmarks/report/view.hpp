#pragma once

#include "benchmarks/harness/results.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace iso::bench::report {

/// One line of a chart: a workload by one metric.
struct Row {
    WorkloadRecord const* workload = nullptr;
    std::string metric;
    std::string label;
    Comparison comparison = Comparison::ratio;
};

/// Lines that share an axis.
struct Section {
    std::string id; ///< the group's name, and what it is compared by
    std::string group;
    std::string title;
    Comparison comparison = Comparison::ratio;
    std::vector<Row> rows;
};

/// One engine in the charts.
struct Column {
    EngineRecord const* engine = nullptr;
    std::string style; ///< of style.css: "e1"
};

/// A value in one block.
struct BlockValue {
    std::uint64_t block = 0;
    double value = 0;
};

/// One result file as the charts see it. Refers to the results.
class View {
public:
    /// `prefix` keeps ids apart when a page shows several files; `name` is the file's.
    View(Results const& results, std::string prefix, std::string name);

    Results const& results;
    std::string prefix;
    std::string name;
    std::vector<Column> columns; ///< engines that work here, neither native nor its twin
    std::vector<Section> sections;

    [[nodiscard]] Cell const* cell(Row const& row, EngineRecord const& engine) const;
    [[nodiscard]] Cell const* native(Row const& row) const;
    /// Native against itself, or nullptr.
    [[nodiscard]] Cell const* control(Row const& row) const;
    [[nodiscard]] std::string id(std::string_view what) const;
    /// Native's, the control arm's, or a column's style.
    [[nodiscard]] std::string style_of(std::string_view engine) const;

    /// Each block's value of this row divided by native's in the same block, by engine.
    [[nodiscard]] std::map<std::string, std::vector<BlockValue>> block_ratios(Row const& row) const;
    /// Start to exit of every run that counts, milliseconds, sorted, by engine.
    [[nodiscard]] std::map<std::string, std::vector<double>>
    run_times(WorkloadRecord const& workload) const;
};

/// What stands where a number is missing: "n/a", "failed", "void", "too few".
std::string word_for(Cell const* cell);

/// "1.18", "+1.94 ms": what is compared, as the charts write it.
std::string effect_text(Cell const& cell);
/// "[1.13, 1.26]", or "".
std::string interval_text(Cell const& cell);
/// "98.4 ns", "7.17 ms".
std::string time_text(double value, std::string_view unit);

} // namespace iso::bench::report
