// The whole distribution, because a median hides the slow starts that people notice.
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"
#include "benchmarks/statistics/median.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

using Times = std::map<std::string, std::vector<double>>;

constexpr double k_letter = 6.9; ///< width of an average one, at most
constexpr double k_reference_row = 17;

/// Which engines have a curve, in the order of the tables.
std::vector<EngineRecord const*> drawn(View const& view, Times const& times) {
    std::vector<EngineRecord const*> engines;
    for (EngineRecord const& engine : view.results.engines)
        if (!engine.control && times.contains(engine.name)) engines.push_back(&engine);
    return engines;
}

std::vector<Reference const*> references_of(WorkloadRecord const& workload, References const& all) {
    std::vector<Reference const*> chosen;
    if (workload.kind == Kind::start_up)
        for (Reference const& reference : all.figures)
            if (reference.p50_ms) chosen.push_back(&reference);
    return chosen;
}

/// The steps of an empirical distribution function: the share that had ended by each time.
std::string steps_of(std::vector<double> const& sorted, Scale const& x, Scale const& y) {
    std::string path = fmt::format("M{} {}", coordinate(x(sorted.front())), coordinate(y(0)));
    double const n = static_cast<double>(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i)
        path += fmt::format("H{}V{}", coordinate(x(sorted[i])),
                            coordinate(y(static_cast<double>(i + 1) / n)));
    return path;
}

/// Names with a piece of their line, as many in a row as fit. Returns the height.
double draw_legend(Svg& svg, View const& view, std::vector<EngineRecord const*> const& engines) {
    double x = 0;
    double y = 12;
    for (EngineRecord const* const engine : engines) {
        double const width = 34 + k_letter * static_cast<double>(engine->name.size()) + 14;
        if (x != 0 && x + width > svg.width()) {
            x = 0;
            y += 18;
        }
        svg.line(x, y - 4, x + 26, y - 4, "curve " + view.style_of(engine->name) + "l");
        svg.text(x + 32, y, engine->name, "t");
        x += width;
    }
    return y + 14;
}

/// Below the curves, where they cannot hide each other: a line for each, from median to 99 %.
void draw_references(Svg& svg, Scale const& x, double top, double left,
                     std::vector<Reference const*> const& references) {
    double y = top;
    for (Reference const* const reference : references) {
        double const from = x(*reference->p50_ms);
        double const to = x(reference->p99_ms.value_or(*reference->p50_ms));
        svg.line(from, y, to, y, "refline");
        svg.diamond(from, y, 4.5, "ref", reference->label + ": " + reference->value);
        double const letters = k_letter * static_cast<double>(reference->label.size());
        bool const fits = from - 10 - letters > left;
        svg.text(fits ? from - 10 : to + 10, y + 4, reference->label, fits ? "s i end" : "s i");
        y += k_reference_row;
    }
}

std::string draw(View const& view, std::string const& id, double width,
                 WorkloadRecord const& workload, Times const& times,
                 std::vector<Reference const*> const& references) {
    auto const engines = drawn(view, times);
    std::vector<double> all;
    std::vector<std::string> medians;
    for (EngineRecord const* const engine : engines) {
        auto const& own = times.at(engine->name);
        all.insert(all.end(), own.begin(), own.end());
        medians.push_back(fmt::format("{} {} ms", engine->name, figure_of(median(own))));
    }
    for (Reference const* const reference : references)
        all.push_back(reference->p99_ms.value_or(*reference->p50_ms));
    Svg svg(
        id, width, workload.name + ": start to exit, all runs",
        fmt::format("Curves that rise from 0 to 100 %: the share of runs that had ended after so "
                    "many milliseconds. Medians: {}.",
                    fmt::join(medians, ", ")));
    double const left = 44;
    double const right = width - 12;
    double const top = draw_legend(svg, view, engines) + 6;
    double const bottom = top + (width > 500 ? 260 : 210);
    double const end = bottom + k_reference_row * static_cast<double>(references.size());
    Scale const x = Scale::over(all, left, right);
    Scale const y = Scale::linear(0, 1, bottom, top);
    for (Tick const& tick : x.ticks(width > 500 ? 10 : 6)) {
        svg.line(x(tick.value), top, x(tick.value), end, "grid");
        svg.text(x(tick.value), end + 16, tick.label, "s mid");
    }
    for (double const share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        svg.line(left, y(share), right, y(share), share == 0 ? "base" : "grid");
        svg.text(left - 6, y(share) + 4, fmt::format("{:.0f} %", share * 100), "s end");
    }
    svg.text((left + right) / 2, end + 34,
             x.is_log() ? "milliseconds, logarithmic axis" : "milliseconds", "s mid");
    draw_references(svg, x, bottom + k_reference_row / 2 + 2, left, references);
    for (EngineRecord const* const engine : engines) {
        auto const& own = times.at(engine->name);
        std::string const style = view.style_of(engine->name);
        svg.path(steps_of(own, x, y), "curve " + style + "l", engine->name);
        svg.diamond(x(median(own)), y(0.5), 4, style,
                    fmt::format("{}: median {} ms", engine->name, figure_of(median(own))));
    }
    return svg.finish(end + 42);
}

Table table_of(View const& view, WorkloadRecord const& workload, Times const& times,
               std::vector<Reference const*> const& references) {
    Table table(workload.name + ": start to exit, milliseconds", {{"engine"},
                                                                  {"runs", true},
                                                                  {"fastest", true},
                                                                  {"median", true},
                                                                  {"90 %", true},
                                                                  {"99 %", true},
                                                                  {"slowest", true}});
    for (EngineRecord const* const engine : drawn(view, times)) {
        auto const& own = times.at(engine->name);
        // A percentile is said from as many runs as it needs to be more than the slowest one.
        auto percentile = [&](double p, std::size_t least) {
            return own.size() < least ? std::string("too few") : figure_of(quantile(own, p));
        };
        table.add({engine->name, fmt::format("{}", own.size()), figure_of(own.front()),
                   figure_of(median(own)), percentile(0.9, 10), percentile(0.99, 100),
                   figure_of(own.back())});
    }
    for (Reference const* const reference : references)
        table.add({reference->label + " (published)", fmt::format("{}", reference->n), "",
                   figure_of(*reference->p50_ms), "",
                   reference->p99_ms ? figure_of(*reference->p99_ms) : "", ""});
    return table;
}

} // namespace

std::string
both_widths(std::string const& id,
            std::function<std::string(std::string const& id, double width)> const& draw_one) {
    return fmt::format("<div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n",
                       draw_one(id, 720), draw_one(id + "-narrow", 350));
}

std::string start_chart(View const& view, WorkloadRecord const& workload, References const& all) {
    Times const times = view.run_times(workload);
    if (drawn(view, times).empty()) return {};
    auto const references = references_of(workload, all);
    std::string const picture =
        both_widths(view.id("start-" + workload.name), [&](std::string const& id, double width) {
            return draw(view, id, width, workload, times, references);
        });
    return figure(view.id("figure-start-" + workload.name),
                  workload.name + ": start to exit, all runs",
                  "The share of runs that were over after so many milliseconds; the filled diamond "
                  "is the median. Runs that failed are not in it, and are told above. Below the "
                  "curves: published boots, from median to 99 %.",
                  picture, table_of(view, workload, times, references));
}

} // namespace iso::bench::report
