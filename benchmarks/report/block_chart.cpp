// A drift, a step or a bad minute of the machine shows here; a median would hide it.
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"
#include "benchmarks/statistics/median.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::report {

namespace {

constexpr double k_width = 360;
constexpr double k_left = 98;
constexpr double k_right = 352;
constexpr double k_lane = 32;
constexpr double k_top = 6;

struct Lane {
    EngineRecord const* engine = nullptr;
    std::string style;
    double middle = 1; ///< the median, which the lane's line stands for
    std::vector<BlockValue> blocks;
};

std::vector<Lane> lanes_of(View const& view, Row const& row) {
    auto ratios = view.block_ratios(row);
    std::vector<Lane> lanes;
    for (EngineRecord const& engine : view.results.engines) {
        auto const own = ratios.find(engine.name);
        Cell const* const cell = view.cell(row, engine);
        if (own == ratios.end() || own->second.size() < 2) continue;
        if (cell == nullptr || cell->status == Status::void_) continue; // its numbers mean nothing
        std::vector<double> values;
        for (BlockValue const& block : own->second)
            values.push_back(block.value);
        lanes.push_back({&engine, engine.control ? "aa" : view.style_of(engine.name),
                         median(values), own->second});
    }
    return lanes;
}

/// Half the height of a lane in logarithms: nine in ten points fit, and never less than 5 %.
double spread_of(std::vector<Lane> const& lanes) {
    std::vector<double> distances;
    for (Lane const& lane : lanes)
        for (BlockValue const& block : lane.blocks)
            distances.push_back(std::abs(std::log(block.value / lane.middle)));
    return std::max(quantile(distances, 0.9) * 1.2, std::log(1.05));
}

std::string dots(std::vector<BlockValue> const& blocks, double middle, Scale const& x,
                 Scale const& y, bool outside) {
    std::string path;
    for (BlockValue const& block : blocks) {
        double const value = std::log(block.value / middle);
        bool const out = value < y.low() || value > y.high();
        if (out != outside) continue;
        std::string const at = coordinate(x(static_cast<double>(block.block)));
        // A line of no length with round ends is a dot; one path holds a whole lane.
        if (!out) path += fmt::format("M{} {}h0", at, coordinate(y(value)));
        if (out && value > 0) path += fmt::format("M{} {}l-3 5h6z", at, coordinate(y(value) - 2));
        if (out && value < 0) path += fmt::format("M{} {}l-3 -5h6z", at, coordinate(y(value) + 2));
    }
    return path;
}

} // namespace

std::string block_chart(View const& view, Row const& row) {
    std::vector<Lane> const lanes = lanes_of(view, row);
    if (lanes.empty()) return {};
    double const spread = spread_of(lanes);
    double const bottom = k_top + static_cast<double>(lanes.size()) * k_lane;
    std::uint64_t last = 2;
    for (Lane const& lane : lanes)
        last = std::max(last, lane.blocks.back().block);
    Scale const x = Scale::linear(1, static_cast<double>(last), k_left + 6, k_right - 6);
    double const factor = std::exp(spread);
    std::string const range = factor < 1.5 ? fmt::format("\u00b1{:.0f} %", 100 * (factor - 1))
                                           : fmt::format("\u00d7/\u00f7 {:.1f}", factor);
    Svg svg(
        view.id("blocks-" + row.workload->name + "-" + row.metric), k_width,
        row.label + ": every block",
        fmt::format("A lane for each engine: its ratio to native in each block, in the order of "
                    "measuring, beside its median; a lane is as high as {}.",
                    range));
    Table table(row.label + ": ratio to native in each block",
                {{"engine"},
                 {"blocks", true},
                 {"median", true},
                 {"lowest", true},
                 {"highest", true},
                 {"second half / first half", true}});
    double y = k_top;
    for (Lane const& lane : lanes) {
        Scale const inside = Scale::linear(-spread, spread, y + k_lane - 5, y + 5);
        svg.rect(k_left, y + 2, k_right - k_left, k_lane - 4, "lane");
        svg.line(k_left, inside(0), k_right, inside(0), "grid");
        svg.text(k_left - 6, y + k_lane / 2 + 4, lane.engine->name, "s end");
        svg.path(dots(lane.blocks, lane.middle, x, inside, false), "dots " + lane.style + "l");
        if (auto const out = dots(lane.blocks, lane.middle, x, inside, true); !out.empty())
            svg.path(out, lane.style, "outside of the lane");
        std::vector<double> first;
        std::vector<double> second;
        double lowest = lane.middle;
        double highest = lane.middle;
        for (std::size_t i = 0; i < lane.blocks.size(); ++i) {
            (i < lane.blocks.size() / 2 ? first : second).push_back(lane.blocks[i].value);
            lowest = std::min(lowest, lane.blocks[i].value);
            highest = std::max(highest, lane.blocks[i].value);
        }
        table.add({lane.engine->name, fmt::format("{}", lane.blocks.size()), figure_of(lane.middle),
                   figure_of(lowest), figure_of(highest),
                   figure_of(median(second) / median(first))});
        y += k_lane;
    }
    svg.text(k_left, bottom + 13, "block 1", "s");
    svg.text(k_right, bottom + 13, fmt::format("block {}", last), "s end");
    svg.text((k_left + k_right) / 2, bottom + 13, "lane: " + range, "s mid");
    return figure(view.id("figure-blocks-" + row.workload->name + "-" + row.metric), row.label, "",
                  svg.finish(bottom + 18), table);
}

} // namespace iso::bench::report
