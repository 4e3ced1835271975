#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

constexpr double k_row = 24;
constexpr double k_gap = 2;

/// Upper ends of the steps; each has a colour "hN" of its own.
struct Step {
    double below;
    char const* words;
};
constexpr Step k_steps[] = {{1.05, "up to 1.05"},     {1.5, "1.05 to 1.5"}, {5, "1.5 to 5"},
                            {20, "5 to 20"},          {100, "20 to 100"},   {1000, "100 to 1000"},
                            {1e300, "more than 1000"}};

std::size_t step_of(double ratio) {
    std::size_t step = 0;
    while (ratio >= k_steps[step].below)
        ++step;
    return step;
}

std::string legend() {
    std::string items;
    for (std::size_t i = 0; i < std::size(k_steps); ++i)
        items += fmt::format("<li><span class=\"swatch h{}\"></span>{}</li>", i, k_steps[i].words);
    items += "<li><span class=\"swatch hatched\"></span>through emulation</li>";
    return "<ul class=\"legend\">" + items + "</ul>\n";
}

} // namespace

std::string heat_map(View const& view) {
    if (view.columns.empty() || view.sections.empty()) return {};
    double const labels = 186;
    double const count = static_cast<double>(view.columns.size());
    double const column_width = std::clamp((720 - labels) / count, 58.0, 150.0);
    double const width = labels + count * column_width;
    std::vector<Table::Column> heads = {{"workload"}, {"metric"}};
    for (Column const& column : view.columns)
        heads.push_back({column.engine->name, true});
    Table table("Times native, every engine and workload", heads);
    Svg svg(view.id("heat"), width, "Times native, every engine and workload",
            "A grid: a line for each workload, a column for each engine, in every field the ratio "
            "to native, darker for dearer.");
    bool const slanted = column_width < 100;
    double y = slanted ? 84 : 40;
    for (std::size_t i = 0; i < view.columns.size(); ++i) {
        EngineRecord const& engine = *view.columns[i].engine;
        double const middle = labels + (static_cast<double>(i) + 0.5) * column_width;
        if (slanted) {
            svg.rotated(middle - 4, y - 8, engine.name, "b");
            continue;
        }
        svg.text(middle, y - 22, engine.name, "b mid");
        svg.text(middle, y - 8, engine.backend, "s mid");
    }
    std::string group;
    for (Section const& section : view.sections)
        for (Row const& row : section.rows) {
            if (!group.empty() && group != section.group) y += 8;
            group = section.group;
            svg.text(labels - 8, y + 16, row.label, "t end");
            std::vector<std::string> cells = {row.label, row.metric};
            for (std::size_t i = 0; i < view.columns.size(); ++i) {
                Cell const* const cell = view.cell(row, *view.columns[i].engine);
                double const x = labels + static_cast<double>(i) * column_width;
                double const w = column_width - k_gap;
                double const h = k_row - k_gap;
                bool const good = cell != nullptr && cell->status == Status::ok && cell->ratio;
                std::string const words = good ? figure_of(*cell->ratio) : word_for(cell);
                cells.push_back(words);
                if (!good) {
                    svg.rect(x, y, w, h, "none", cell == nullptr ? "" : cell->reason);
                    svg.text(x + w / 2, y + 15.5, words, words == "n/a" ? "s mid" : "s loud mid");
                    continue;
                }
                std::size_t const step = step_of(*cell->ratio);
                svg.rect(x, y, w, h, fmt::format("h{}", step),
                         fmt::format("{} in {}: {} times native{}", row.label, cell->engine, words,
                                     cell->emulated ? ", through emulation" : ""));
                if (cell->emulated) svg.rect(x, y, 14, h, "hatch");
                svg.text(x + w / 2, y + 15.5, words, fmt::format("ht{} mid", step));
            }
            table.add(cells);
            y += k_row;
        }
    std::string const picture = fmt::format(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Heat map\">{}</div>\n",
        svg.finish(y + 2, "natural"));
    return figure(view.id("figure-heat"), "Every engine and workload at a glance",
                  "The median time divided by native's in the same block. Start-up, too, is shown "
                  "as a ratio here.",
                  legend() + picture, table);
}

} // namespace iso::bench::report
