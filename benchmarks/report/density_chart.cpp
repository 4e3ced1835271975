// What one more instance costs when others are there already: its start, and the memory it holds.
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::report {

namespace {

constexpr std::string_view k_start = "start-of-";

/// One engine's numbers, native among them.
struct Engine {
    EngineRecord const* record = nullptr;
    std::string style;
};

std::vector<Engine> engines_of(View const& view) {
    std::vector<Engine> engines{{&view.results.engines.front(), "e0"}};
    for (Column const& column : view.columns)
        engines.push_back({column.engine, column.style});
    return engines;
}

/// Milliseconds until instance k had said its first word, by k.
struct Start {
    unsigned k = 0;
    Cell const* cell = nullptr;
};

std::vector<Start> starts_of(View const& view, WorkloadRecord const& workload,
                             std::string const& engine) {
    std::vector<Start> starts;
    for (Cell const& cell : view.results.cells) {
        if (cell.workload != workload.name || cell.engine != engine) continue;
        if (!cell.metric.starts_with(k_start)) continue;
        auto const k = static_cast<unsigned>(std::strtoul(
            cell.metric.c_str() + k_start.size(), nullptr, 10)); // as metrics.cpp names them
        if (k > 0) starts.push_back({k, &cell});
    }
    std::sort(starts.begin(), starts.end(),
              [](Start const& a, Start const& b) { return a.k < b.k; });
    return starts;
}

bool has_number(Cell const* cell) {
    return cell != nullptr && cell->status == Status::ok && cell->median && *cell->median > 0;
}

std::string milliseconds(double ms) {
    return time_text(ms, "ms");
}

struct Curve {
    Engine engine;
    std::vector<Start> starts;
};

std::vector<Curve> curves_of(View const& view, WorkloadRecord const& workload) {
    std::vector<Curve> curves;
    for (Engine const& engine : engines_of(view)) {
        Curve curve{engine, starts_of(view, workload, engine.record->name)};
        if (std::any_of(curve.starts.begin(), curve.starts.end(),
                        [](Start const& start) { return has_number(start.cell); }))
            curves.push_back(std::move(curve));
    }
    return curves;
}

/// The name beside its curve; where the curve ends before the others do, with how far it goes.
std::string name_of(Curve const& curve) {
    unsigned last = 0;
    for (Start const& start : curve.starts)
        if (has_number(start.cell)) last = start.k;
    std::string const& name = curve.engine.record->name;
    return last == curve.starts.back().k ? name : fmt::format("{} (to {})", name, last);
}

std::string describe(std::vector<Curve> const& curves) {
    std::vector<std::string> parts;
    for (Curve const& curve : curves) {
        std::vector<std::string> values;
        for (Start const& start : curve.starts)
            values.push_back(fmt::format("instance {} {}", start.k,
                                         has_number(start.cell) ? milliseconds(*start.cell->median)
                                                                : word_for(start.cell)));
        parts.push_back(fmt::format("{}: {}", curve.engine.record->name, fmt::join(values, ", ")));
    }
    return fmt::format("Time until an instance said its first word while those before it wait. {}.",
                       fmt::join(parts, "; "));
}

void draw_axes(Svg& svg, std::vector<Curve> const& curves, Scale const& x, Scale const& y,
               double left, double right, double bottom) {
    for (Tick const& tick : y.ticks(6)) {
        svg.line(left, y(tick.value), right, y(tick.value), "grid");
        svg.text(left - 6, y(tick.value) + 4, milliseconds(tick.value), "s end");
    }
    for (Start const& start : curves.front().starts)
        svg.text(x(start.k), bottom + 16, fmt::format("{}", start.k), "s mid");
    svg.text((left + right) / 2, bottom + 33, "the k-th instance", "s mid");
}

/// Names to the right of their curves' ends, moved apart where they would touch.
void draw_names(Svg& svg, std::vector<std::pair<double, std::string>> names, double x, double top,
                double bottom) {
    std::sort(names.begin(), names.end());
    constexpr double k_step = 15;
    double const last = bottom - k_step * (static_cast<double>(names.size()) - 1);
    double at = top;
    for (std::size_t i = 0; i < names.size(); ++i) {
        at = std::min(std::max(at, names[i].first + 4), last + 4 + k_step * static_cast<double>(i));
        svg.text(x, at, names[i].second, "t");
        at += k_step;
    }
}

std::string draw_curves(std::vector<Curve> const& curves, std::string const& id, double width) {
    std::vector<double> values;
    unsigned most = 2;
    std::size_t letters = 0;
    for (Curve const& curve : curves) {
        letters = std::max(letters, name_of(curve).size());
        for (Start const& start : curve.starts) {
            most = std::max(most, start.k);
            if (has_number(start.cell)) values.push_back(*start.cell->median);
        }
    }
    Svg svg(id, width, "The start of the k-th instance", describe(curves));
    double const left = 62;
    double const right = width - 16 - 7.0 * static_cast<double>(letters);
    double const top = 10;
    double const bottom = top + std::max(200.0, 17.0 * static_cast<double>(curves.size()));
    Scale const x = Scale::logarithmic(1, most, left + 8, right - 4);
    Scale const y = Scale::over(values, bottom, top);
    draw_axes(svg, curves, x, y, left, right, bottom);
    std::vector<std::pair<double, std::string>> names;
    for (Curve const& curve : curves) {
        std::string path;
        bool begun = false;
        double end = bottom;
        for (Start const& start : curve.starts) {
            if (!has_number(start.cell)) {
                begun = false; // a gap, never a line through what was not measured
                continue;
            }
            double const at = y(*start.cell->median);
            path +=
                fmt::format("{}{} {}", begun ? "L" : "M", coordinate(x(start.k)), coordinate(at));
            begun = true;
            end = at;
        }
        svg.path(path, "curve " + curve.engine.style + "l");
        for (Start const& start : curve.starts)
            if (has_number(start.cell))
                svg.diamond(x(start.k), y(*start.cell->median), 3.5, curve.engine.style,
                            fmt::format("{}, instance {}: {}", curve.engine.record->name, start.k,
                                        milliseconds(*start.cell->median)));
        names.emplace_back(end, name_of(curve));
    }
    draw_names(svg, names, right + 6, top + 4, bottom);
    return svg.finish(bottom + 38);
}

Table table_of(std::vector<Curve> const& curves) {
    Table table("The start of the k-th instance", {{"engine"},
                                                   {"instance k", true},
                                                   {"median", true},
                                                   {"more than native", true},
                                                   {"95 % interval", true},
                                                   {"blocks", true},
                                                   {"remark"}});
    for (Curve const& curve : curves)
        for (Start const& start : curve.starts) {
            bool const good = has_number(start.cell);
            bool const native = curve.engine.style == "e0";
            table.add({curve.engine.record->name, fmt::format("{}", start.k),
                       good ? milliseconds(*start.cell->median) : word_for(start.cell),
                       good && !native ? effect_text(*start.cell) : std::string(),
                       good ? interval_text(*start.cell) : std::string(),
                       good ? fmt::format("{}", start.cell->n) : std::string(),
                       good ? std::string() : start.cell->reason});
        }
    return table;
}

std::string memory_text(double kib) {
    return kib < 1024 ? fmt::format("{:.0f} KiB", kib)
                      : fmt::format("{:.{}f} MiB", kib / 1024, kib < 10240 ? 2 : 1);
}

} // namespace

std::string instance_chart(View const& view, WorkloadRecord const& workload) {
    std::vector<Curve> const curves = curves_of(view, workload);
    if (curves.empty()) return {};
    std::string const id = "instances-" + workload.name;
    return figure(
        view.id("figure-" + id), "The start of the k-th instance",
        "From just before its process was made to its first word, while k - 1 others wait. "
        "The axis of instances is logarithmic; that of time, too, from a decade on.",
        both_widths(view.id(id), [&](std::string const& one,
                                     double width) { return draw_curves(curves, one, width); }),
        table_of(curves));
}

std::string memory_chart(View const& view, WorkloadRecord const& workload) {
    struct Bar {
        Engine engine;
        Cell const* own;    ///< private
        Cell const* shared; ///< PSS
    };
    std::vector<Bar> bars;
    std::vector<double> values{0};
    for (Engine const& engine : engines_of(view)) {
        Bar const bar{engine,
                      view.results.find(workload.name, "private-memory", engine.record->name),
                      view.results.find(workload.name, "pss", engine.record->name)};
        if (bar.own == nullptr && bar.shared == nullptr) continue;
        for (Cell const* const cell : {bar.own, bar.shared})
            if (has_number(cell)) values.push_back(*cell->median);
        bars.push_back(bar);
    }
    if (values.size() < 2) return {};
    constexpr double k_width = 360;
    constexpr double k_left = 98;
    constexpr double k_right = 290;
    constexpr double k_pitch = 34;
    constexpr double k_top = 6;
    double const most = *std::max_element(values.begin(), values.end());
    Scale const x = Scale::linear(0, most, k_left, k_right);
    std::vector<std::string> parts;
    Table table("Memory of one more idle instance", {{"engine"},
                                                     {"private", true},
                                                     {"95 % interval", true},
                                                     {"with its share (PSS)", true},
                                                     {"blocks", true},
                                                     {"remark"}});
    auto text = [](Cell const* cell) {
        return has_number(cell) ? memory_text(*cell->median) : word_for(cell);
    };
    for (Bar const& bar : bars) {
        parts.push_back(fmt::format("{}: {} private, {} with its share of what is shared",
                                    bar.engine.record->name, text(bar.own), text(bar.shared)));
        bool const good = has_number(bar.own);
        table.add({bar.engine.record->name, text(bar.own),
                   good && bar.own->ci_low ? fmt::format("[{}, {}] KiB more than native",
                                                         signed_figure(*bar.own->ci_low),
                                                         signed_figure(*bar.own->ci_high))
                                           : std::string(),
                   text(bar.shared), good ? fmt::format("{}", bar.own->n) : std::string(),
                   good || bar.own == nullptr ? std::string() : bar.own->reason});
    }
    std::string const id = "memory-" + workload.name;
    Svg svg(view.id(id), k_width, "Memory of one more idle instance",
            fmt::format("{}.", fmt::join(parts, "; ")));
    double y = k_top;
    for (Bar const& bar : bars) {
        svg.line(k_left, y, k_left, y + k_pitch, "base");
        svg.text(k_left - 6, y + 15, bar.engine.record->name, "s end");
        if (has_number(bar.shared))
            svg.rect(k_left, y + 19, std::max(x(*bar.shared->median) - k_left, 1.0), 5,
                     bar.engine.style, "with its share of what is shared: " + text(bar.shared));
        if (has_number(bar.own)) {
            svg.rect(k_left, y + 5, std::max(x(*bar.own->median) - k_left, 1.0), 12,
                     bar.engine.style, "private: " + text(bar.own));
            svg.text(k_width, y + 15, text(bar.own), "v end");
        } else {
            svg.text(k_left + 6, y + 15, word_for(bar.own), "s loud");
        }
        y += k_pitch;
    }
    return figure(
        view.id("figure-" + id), "Memory of one more idle instance",
        "The thick bar is what only it holds, the thin one what it holds with its share of "
        "pages that several hold (PSS). The kernel's own memory is in neither.",
        svg.finish(y + 4), table);
}

} // namespace iso::bench::report
