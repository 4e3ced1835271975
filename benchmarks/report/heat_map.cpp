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

/// Names above the columns: level where there is room, else rising. Returns where the fields begin.
double draw_names(Svg& svg, View const& view, double labels, double column_width, double rise) {
    bool const slanted = rise > 0;
    double const y = slanted ? rise + 12 : 40;
    for (std::size_t i = 0; i < view.columns.size(); ++i) {
        EngineRecord const& engine = *view.columns[i].engine;
        double const middle = labels + (static_cast<double>(i) + 0.5) * column_width;
        if (slanted) {
            svg.rotated(middle - 4, y - 6, engine.name, "b");
            continue;
        }
        svg.text(middle, y - 22, engine.name, "b mid");
        svg.text(middle, y - 8, engine.backend, "s mid");
    }
    return y;
}

void draw_field(Svg& svg, Row const& row, Cell const* cell, double x, double y, double width) {
    double const height = k_row - k_gap;
    if (cell == nullptr || cell->status != Status::ok || !cell->ratio) {
        std::string const words = word_for(cell);
        svg.rect(x, y, width, height, "none", cell == nullptr ? "" : cell->reason);
        svg.text(x + width / 2, y + 15.5, words, words == "n/a" ? "s mid" : "s loud mid");
        return;
    }
    std::string const words = figure_of(*cell->ratio);
    std::size_t const step = step_of(*cell->ratio);
    svg.rect(x, y, width, height, fmt::format("h{}", step),
             fmt::format("{} in {}: {} times native{}", row.label, cell->engine, words,
                         cell->emulated ? ", through emulation" : ""));
    if (cell->emulated) svg.rect(x, y + height - 5, width, 5, "hatch");
    svg.text(x + width / 2, y + (cell->emulated ? 13.5 : 15.5), words,
             fmt::format("ht{} mid", step));
}

std::string draw(View const& view, std::string const& id, double room) {
    double const labels = room < 500 ? 150 : 172;
    double const count = static_cast<double>(view.columns.size());
    double const column_width = std::clamp((room - labels) / count, 58.0, 150.0);
    // A name that rises by 40 degrees needs room above, and the last one to the right, too.
    double rise = 0;
    double overhang = 0;
    if (column_width < 100)
        for (std::size_t i = 0; i < view.columns.size(); ++i) {
            double const length =
                7.8 * static_cast<double>(view.columns[i].engine->name.size()) + 8;
            double const left = (count - static_cast<double>(i) - 0.5) * column_width;
            rise = std::max(rise, 0.68 * length + 4);
            overhang = std::max(overhang, 0.77 * length - left);
        }
    Svg svg(id, labels + count * column_width + overhang, "Times native, every engine and workload",
            "A grid: a line for each workload, a column for each engine, in every field the ratio "
            "to native, darker for dearer.");
    double y = draw_names(svg, view, labels, column_width, rise);
    std::string group;
    for (Section const& section : view.sections)
        for (Row const& row : section.rows) {
            if (!group.empty() && group != section.group) y += 8;
            group = section.group;
            svg.text(labels - 8, y + 16, row.label, "t end");
            for (std::size_t i = 0; i < view.columns.size(); ++i)
                draw_field(svg, row, view.cell(row, *view.columns[i].engine),
                           labels + static_cast<double>(i) * column_width, y, column_width - k_gap);
            y += k_row;
        }
    return fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                       "aria-label=\"Heat map\">\n{}</div>",
                       svg.finish(y + 2, "natural"));
}

Table table_of(View const& view) {
    std::vector<Table::Column> heads = {{"workload"}, {"metric"}};
    for (Column const& column : view.columns)
        heads.push_back({column.engine->name, true});
    Table table("Times native, every engine and workload", heads);
    for (Section const& section : view.sections)
        for (Row const& row : section.rows) {
            std::vector<std::string> cells = {row.label, row.metric};
            for (Column const& column : view.columns) {
                Cell const* const cell = view.cell(row, *column.engine);
                bool const good = cell != nullptr && cell->status == Status::ok && cell->ratio;
                cells.push_back(!good ? word_for(cell)
                                      : figure_of(*cell->ratio) +
                                            (cell->emulated ? " (emulation)" : ""));
            }
            table.add(cells);
        }
    return table;
}

} // namespace

std::string heat_map(View const& view) {
    if (view.columns.empty() || view.sections.empty()) return {};
    std::string const picture =
        both_widths(view.id("heat"),
                    [&](std::string const& id, double width) { return draw(view, id, width); });
    return figure(view.id("figure-heat"), "Every engine and workload at a glance",
                  "The median time divided by native's in the same block. Start-up, too, is shown "
                  "as a ratio here.",
                  legend() + picture, table_of(view));
}

} // namespace iso::bench::report
