// Ratios of the same bytes on the same machine over time. Other bytes or another machine are
// another line, never a further point.
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/parts.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

struct Point {
    std::size_t result = 0; ///< place in time
    Cell const* cell = nullptr;
};

/// One engine in one workload over time.
struct Line {
    std::string engine;
    std::string style;
    std::vector<Point> points;
};

struct Chart {
    std::string workload;
    std::string metric;
    std::vector<Line> lines;
    [[nodiscard]] std::string label() const { return workload + ", " + metric; }
};

constexpr double k_width = 360;
constexpr double k_beside = 12; ///< between the first and the last engine's point of one result

std::vector<Input const*> in_time(std::vector<Input> const& inputs) {
    std::vector<Input const*> sorted;
    for (Input const& input : inputs)
        sorted.push_back(&input);
    std::stable_sort(sorted.begin(), sorted.end(), [](Input const* a, Input const* b) {
        return a->results.environment.get("date") < b->results.environment.get("date");
    });
    return sorted;
}

bool comparable(Results const& first, Results const& second, std::string const& workload) {
    for (std::string const& other : differences(first, second))
        if (other.starts_with("another")) return false;
    auto find = [&](Results const& in) {
        return std::find_if(in.workloads.begin(), in.workloads.end(),
                            [&](WorkloadRecord const& w) { return w.name == workload; });
    };
    auto const a = find(first);
    auto const b = find(second);
    return a != first.workloads.end() && b != second.workloads.end() && a->sha256 == b->sha256 &&
           a->arguments == b->arguments && a->ops == b->ops;
}

/// The charts that have a line with at least two points, made from the results like the last one.
std::vector<Chart> charts_of(std::vector<Input const*> const& results) {
    std::vector<Chart> charts;
    Results const& last = results.back()->results;
    View const view(last, "", "");
    for (Section const& section : view.sections)
        for (Row const& row : section.rows) {
            Chart chart{row.workload->name, row.metric, {}};
            for (Column const& column : view.columns) {
                Line line{column.engine->name, column.style, {}};
                for (std::size_t i = 0; i < results.size(); ++i) {
                    Results const& one = results[i]->results;
                    Cell const* const cell = one.find(chart.workload, row.metric, line.engine);
                    if (cell == nullptr || cell->status != Status::ok || !cell->ratio) continue;
                    if (!comparable(last, one, chart.workload)) continue;
                    line.points.push_back({i, cell});
                }
                if (line.points.size() > 1) chart.lines.push_back(std::move(line));
            }
            if (!chart.lines.empty()) charts.push_back(std::move(chart));
        }
    return charts;
}

std::string draw(Chart const& chart, std::vector<Input const*> const& results) {
    std::vector<double> values = {0.95, 1.05};
    std::vector<std::string> words;
    for (Line const& line : chart.lines) {
        std::vector<std::string> ratios;
        for (Point const& point : line.points) {
            values.push_back(*point.cell->ratio);
            if (point.cell->comparison != Comparison::added)
                for (auto const& end : {point.cell->ci_low, point.cell->ci_high})
                    if (end && *end > 0) values.push_back(*end);
            ratios.push_back(figure_of(*point.cell->ratio));
        }
        words.push_back(fmt::format("{}: {}", line.engine, fmt::join(ratios, ", ")));
    }
    Svg svg(
        "history-" + slug(chart.label()), k_width, chart.label() + " over time",
        fmt::format("Times native in each result, the oldest first. {}.", fmt::join(words, "; ")));
    double const left = 44;
    double const right = k_width - 10;
    double const top = 8 + 18 * static_cast<double>(chart.lines.size());
    double const bottom = top + 130;
    Scale const x = Scale::linear(0, static_cast<double>(results.size() - 1), left + 8, right - 8);
    Scale const y = Scale::over(values, bottom, top);
    for (Tick const& tick : y.ticks(5)) {
        svg.line(left, y(tick.value), right, y(tick.value), "grid");
        svg.text(left - 6, y(tick.value) + 4, tick.label, "s end");
    }
    svg.line(left, y(1), right, y(1), "base");
    double legend = 12;
    double const step =
        k_beside / static_cast<double>(std::max<std::size_t>(chart.lines.size(), 2));
    double beside = -step * static_cast<double>(chart.lines.size() - 1) / 2;
    for (Line const& line : chart.lines) {
        svg.line(0, legend - 4, 26, legend - 4, "curve " + line.style + "l");
        svg.text(32, legend, line.engine, "t");
        legend += 18;
        std::string path;
        for (Point const& point : line.points) {
            double const at = x(static_cast<double>(point.result)) + beside;
            path += fmt::format("{}{} {}", path.empty() ? "M" : "L", coordinate(at),
                                coordinate(y(*point.cell->ratio)));
            bool const ratio = point.cell->comparison != Comparison::added;
            if (ratio && point.cell->ci_low && point.cell->ci_high)
                svg.line(at, y(*point.cell->ci_low), at, y(*point.cell->ci_high),
                         "whisker " + line.style + "l");
            svg.diamond(at, y(*point.cell->ratio), 4, line.style,
                        results[point.result]->name + ": " + figure_of(*point.cell->ratio));
        }
        svg.path(path, "curve " + line.style + "l");
        beside += step;
    }
    svg.text(left, bottom + 16, results.front()->results.environment.get("date").substr(0, 10),
             "s");
    svg.text(right, bottom + 16, results.back()->results.environment.get("date").substr(0, 10),
             "s end");
    Table table(chart.label() + ": times native",
                {{"file"}, {"date"}, {"engine"}, {"times native", true}});
    for (Line const& line : chart.lines)
        for (Point const& point : line.points)
            table.add({results[point.result]->name,
                       results[point.result]->results.environment.get("date"), line.engine,
                       figure_of(*point.cell->ratio)});
    return figure("figure-history-" + slug(chart.label()), chart.label(), "",
                  svg.finish(bottom + 22), table);
}

} // namespace

std::string history(std::vector<Input> const& inputs, std::vector<Part>& contents) {
    auto const results = in_time(inputs);
    std::string charts;
    for (Chart const& chart : charts_of(results))
        charts += draw(chart, results);
    if (charts.empty()) return {};
    contents.push_back({"history", "Over time"});
    return "<section aria-labelledby=\"history\">\n<h2 id=\"history\">Over time</h2>\n"
           "<p class=\"lead\">Only results of the same machine as the last one, with the same "
           "bytes "
           "and arguments, are points of a line; the others are left out.</p>\n"
           "<div class=\"grid\">\n" +
           charts + "</div>\n</section>\n";
}

} // namespace iso::bench::report
