#include "benchmarks/harness/table.hpp"

#include "benchmarks/harness/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

/// With a sign, except for what rounds to nothing.
std::string signed_ms(double ms) {
    double const size = std::abs(ms);
    int const decimals = size < 10 ? 2 : size < 100 ? 1 : 0;
    return size < 0.005 ? "0.00" : fmt::format("{:+.{}f}", ms, decimals);
}

GridPlace place_of(Cell const& cell, EngineRecord const& engine, bool native,
                   TableStyle const& style) {
    switch (cell.status) {
    case Status::ok:
        break;
    case Status::unavailable:
        // The engine is not here, or it is and its kernel does not offer this.
        return {engine.usable ? "n/a" : style.dash(), {}, false};
    case Status::void_:
        return {"VOID", {}, true};
    case Status::failed:
        return {"FAILED", {}, true};
    case Status::incomplete:
        return {"too few", {}, true};
    case Status::inconclusive:
        return {"unclear", {}, true};
    }
    bool const alone = cell.comparison == Comparison::alone;
    if (native && !alone && cell.bytes_per_op > 0)
        return {format_rate(cell.bytes_per_op, *cell.median), {}, false};
    if (native && cell.unit == "KiB") return {fmt::format("{:.0f} KiB", *cell.median), {}, false};
    if (native && !alone)
        return {format_ns(*cell.median * (cell.unit == "ms" ? 1e6 : 1), style), {}, false};
    auto const effect = cell.effect();
    if (!effect) return {style.dash(), {}, false};
    bool const ratio = cell.comparison != Comparison::added;
    int const decimals = decimals_for(*effect);
    auto show = [&](double value) {
        return ratio ? fmt::format("{:.{}f}", value, decimals) : signed_ms(value);
    };
    GridPlace place;
    place.value = (cell.emulated ? style.hatch() : "") + show(*effect);
    if (cell.ci_low && cell.ci_high)
        place.interval = fmt::format("[{}, {}]", show(*cell.ci_low), show(*cell.ci_high));
    return place;
}

std::string section_of(WorkloadRecord const& workload) {
    Group const* const group = find_group(workload.group);
    auto title = [&](char const* other) { return std::string(group ? group->title : other); };
    switch (workload.kind) {
    case Kind::compute:
        return title("Computing") +
               ": CPU time, ratio to native (1.00 is free); start-up is taken off";
    case Kind::latency:
        return title("Kernel services") + ": time of one operation, ratio to native";
    case Kind::start_up:
        return title("Start-up") + ": milliseconds more than native";
    case Kind::density:
        return title("Density") + ": KiB that each idle instance holds, and milliseconds until "
                                  "instance k says its first word, more than native";
    case Kind::neighbour:
        return title("Neighbours") + ": time of one operation beside a neighbour, divided by that "
                                     "without (1.00 is undisturbed)";
    case Kind::program:
        return "The program: milliseconds more than native; CPU time as a ratio, start-up included";
    }
    return {};
}

std::string label_of(Cell const& cell, Kind kind) {
    if (kind == Kind::density) {
        if (cell.metric == "private-memory") return "private memory";
        if (cell.metric == "pss") return "memory, shared (PSS)";
        return "start, k=" + cell.metric.substr(cell.metric.rfind('-') + 1);
    }
    if (kind != Kind::start_up && kind != Kind::program) return cell.workload;
    if (cell.metric == "start-up") return "to 1st instruction";
    if (cell.metric == "first-output") return "to 1st output";
    if (cell.metric == "start-to-exit") return "start to exit";
    return "CPU time";
}

std::vector<GridLine> lines_of(Results const& results, TableStyle const& style) {
    std::vector<GridLine> lines;
    std::string section;
    for (WorkloadRecord const& workload : results.workloads) {
        std::string const title = section_of(workload);
        if (section != title) lines.push_back({title, {}, {}, {}});
        section = title;
        std::string metric;
        for (Cell const& cell : results.cells) {
            if (cell.workload != workload.name || !cell.deciding) continue;
            if (cell.metric != metric) lines.push_back({{}, label_of(cell, workload.kind), {}, {}});
            metric = cell.metric;
            GridLine& line = lines.back();
            EngineRecord const& engine = results.engines[line.places.size()];
            line.places.push_back(place_of(cell, engine, line.places.empty(), style));
            if (line.places.size() == 1) line.n = fmt::format("{}", cell.n);
        }
    }
    return lines;
}

std::string second_header(EngineRecord const& engine) {
    if (engine.control) return "noise floor";
    return engine.usable ? engine.backend : "unavailable";
}

} // namespace

std::string render_table(Results const& results, TableStyle const& style) {
    Grid grid;
    for (EngineRecord const& engine : results.engines)
        grid.columns.push_back({engine.name, second_header(engine)});
    grid.lines = lines_of(results, style);
    grid.pinned = 1;                                         // native: what every ratio is of
    for (std::size_t i = results.engines.size(); i-- > 0;) { // a peer that is not here is one line
        if (results.engines[i].usable || !results.engines[i].peer) continue;
        grid.columns.erase(grid.columns.begin() + static_cast<std::ptrdiff_t>(i));
        for (GridLine& line : grid.lines)
            if (line.section.empty())
                line.places.erase(line.places.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return render_grid(grid, style);
}

} // namespace iso::bench
