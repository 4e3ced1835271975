#pragma once

#include "benchmarks/harness/text.hpp"
#include "benchmarks/history/trend.hpp"

#include <string>
#include <vector>

namespace iso::bench::history {

/// What is to be shown of a history; nothing named: all of it.
struct Choice {
    std::vector<std::string> engines;
    std::vector<std::string> workloads;
    std::string machine;     ///< an id, or its beginning
    bool superseded = false; ///< also series that ended, as other bytes or another backend came

    [[nodiscard]] bool has(Trend const& trend) const;
};

/// `isobench history list`: the runs of each machine.
std::string list_text(History const& history, std::string const& title, TableStyle const& style);

/// `isobench history show`: each series as a small line with what changed in it.
std::string show_text(History const& history, std::vector<Trend> const& trends,
                      TrendRule const& rule, TableStyle const& style);

/// The values of a series, the newest last and at most `width` of them, as high or as low as they
/// are; gaps and changes are marked.
std::string sparkline(Trend const& trend, std::size_t width, TableStyle const& style);

/// "cpu-int in isolate: +3.1 % from ... on": a change in a sentence.
std::string sentence(History const& history, Trend const& trend, Change const& change);

/// wrap() without the end of the last line: `first` columns of the first line are taken already.
std::string paragraph(std::string const& text, std::size_t first, std::size_t indent,
                      TableStyle const& style);

/// "+3.1 %".
std::string percent(double share);
/// A value of the series with its unit: "1.034", "+2.13 ms".
std::string value_text(SeriesKey const& key, double value);
/// "2026-01-20", and the commit where one is known.
std::string when_text(Run const& run);
/// "cpu-int" or "hello: start-up": what the series is about, apart from the engine.
std::string subject_of(SeriesKey const& key);

/// In the order of the table of workloads, then by metric, engine and the rest of the key.
std::vector<Trend const*> in_table_order(std::vector<Trend> const& trends);

} // namespace iso::bench::history
