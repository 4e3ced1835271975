// Bars begin at native: their length is the difference, on whichever axis.
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

constexpr double k_width = 360;
constexpr double k_left = 98;
constexpr double k_right = 292;
constexpr double k_pitch = 17;
constexpr double k_bar = 10;
constexpr double k_heading = 21;
constexpr double k_top = 22;
/// The axis never shows less than this on either side of native: noise must not look like cost.
constexpr double k_least_ratio = 0.1;

std::vector<Reference const*> references_of(Section const& section, References const& all) {
    std::vector<Reference const*> chosen;
    if (section.comparison != Comparison::added)
        for (Reference const& reference : all.figures)
            if (reference.group == section.group && reference.ratio) chosen.push_back(&reference);
    return chosen;
}

Scale axis_of(View const& view, Section const& section,
              std::vector<Reference const*> const& references) {
    bool const ratio = section.comparison != Comparison::added;
    std::vector<double> effects;
    std::vector<double> values;
    for (Row const& row : section.rows)
        for (Column const& column : view.columns) {
            Cell const* const cell = view.cell(row, *column.engine);
            if (cell == nullptr || cell->status != Status::ok || !cell->effect()) continue;
            effects.push_back(*cell->effect());
            for (auto const& value : {cell->effect(), cell->ci_low, cell->ci_high})
                if (value && (!ratio || *value > 0)) values.push_back(*value);
        }
    for (Reference const* const reference : references)
        values.push_back(*reference->ratio);
    if (ratio) {
        values.insert(values.end(), {1 - k_least_ratio, 1 + k_least_ratio});
        return Scale::over(values, k_left, k_right);
    }
    // Milliseconds have no natural left end on a logarithmic axis: it is needed only where some
    // engines are tens of times dearer than others.
    auto const [least, most] = std::minmax_element(effects.begin(), effects.end());
    if (!effects.empty() && *least > 0.01 && *most / *least > 30) {
        double const high = *std::max_element(values.begin(), values.end());
        return Scale::logarithmic(*least / 3, high * 1.1, k_left, k_right);
    }
    values.insert(values.end(), {0, 1});
    return Scale::over(values, k_left, k_right);
}

/// Where bars begin: at native, or where a logarithmic axis of milliseconds does.
double origin_of(Scale const& x, Comparison comparison) {
    if (comparison != Comparison::added) return x(1);
    return x(x.is_log() ? x.low() : 0);
}

void draw_axis(Svg& svg, Scale const& x, Comparison comparison, double bottom) {
    for (Tick const& tick : x.ticks(6)) {
        svg.line(x(tick.value), k_top - 4, x(tick.value), bottom, "grid");
        svg.text(x(tick.value), k_top - 9, tick.label, "s mid");
    }
    double const origin = origin_of(x, comparison);
    svg.line(origin, k_top - 4, origin, bottom, "base");
}

void draw_bar(Svg& svg, Scale const& x, Cell const* cell, Column const& column, double y) {
    double const middle = y + k_pitch / 2;
    svg.text(k_left - 6, middle + 4, column.engine->name, "s end");
    std::string const missing = word_for(cell);
    if (!missing.empty()) {
        svg.text(k_left + 6, middle + 4, missing, missing == "n/a" ? "s" : "s loud");
        return;
    }
    double const origin = origin_of(x, cell->comparison);
    double const end = x(*cell->effect());
    double const left = std::min(origin, end);
    double const width = std::max(std::abs(end - origin), 1.0);
    std::string const hint = fmt::format("{} in {}: {} {}, {} blocks{}", cell->workload,
                                         cell->engine, effect_text(*cell), interval_text(*cell),
                                         cell->n, cell->emulated ? ", through emulation" : "");
    svg.rect(left, middle - k_bar / 2, width, k_bar, column.style, hint);
    if (cell->emulated) svg.rect(left, middle - k_bar / 2, width, k_bar, "hatch");
    if (cell->ci_low && cell->ci_high) svg.interval(x(*cell->ci_low), x(*cell->ci_high), middle, 3);
    svg.text(k_width, middle + 4, effect_text(*cell), "v end");
}

void draw_band(Svg& svg, Scale const& x, Cell const* control, double y, double height) {
    if (control == nullptr || control->status != Status::ok || !control->ci_low ||
        !control->ci_high)
        return;
    double const low = x(*control->ci_low);
    svg.rect(low, y, std::max(x(*control->ci_high) - low, 1.0), height, "aa",
             "native against itself: " + interval_text(*control));
}

Table table_of(View const& view, Section const& section) {
    bool const ratio = section.comparison != Comparison::added;
    Table table(section.title, {{"workload"},
                                {"engine"},
                                {"backend"},
                                {"native", true},
                                {"here", true},
                                {ratio ? "times native" : "more than native", true},
                                {"95 % interval", true},
                                {"blocks", true},
                                {"remark"}});
    for (Row const& row : section.rows) {
        Cell const* const native = view.native(row);
        auto add = [&](EngineRecord const& engine) {
            Cell const* const cell = view.cell(row, engine);
            bool const good = cell != nullptr && cell->status == Status::ok;
            auto time = [&](Cell const* of) {
                return of != nullptr && of->median ? time_text(*of->median, of->unit)
                                                   : std::string();
            };
            std::string remark = engine.control           ? "native against itself"
                                 : good && cell->emulated ? "through emulation"
                                                          : "";
            if (!good) remark = cell == nullptr ? "" : cell->reason;
            table.add({row.label, engine.name, good ? cell->backend : engine.backend, time(native),
                       good ? time(cell) : std::string(),
                       good ? effect_text(*cell) : word_for(cell),
                       good ? interval_text(*cell) : std::string(),
                       good ? fmt::format("{}", cell->n) : std::string(), remark});
        };
        for (EngineRecord const& engine : view.results.engines)
            if (engine.control) add(engine);
        for (Column const& column : view.columns)
            add(*column.engine);
    }
    return table;
}

std::string describe(View const& view, Section const& section) {
    std::vector<std::string> parts;
    for (Row const& row : section.rows) {
        std::vector<std::string> values;
        for (Column const& column : view.columns) {
            Cell const* const cell = view.cell(row, *column.engine);
            std::string const missing = word_for(cell);
            values.push_back(column.engine->name + " " +
                             (missing.empty() ? effect_text(*cell) : missing) +
                             (cell != nullptr && cell->emulated ? " (through emulation)" : ""));
        }
        parts.push_back(fmt::format("{}: {}", row.label, fmt::join(values, ", ")));
    }
    return fmt::format("{}.", fmt::join(parts, "; "));
}

} // namespace

std::string ratio_chart(View const& view, Section const& section, References const& all) {
    if (section.rows.empty() || view.columns.empty()) return {};
    auto const references = references_of(section, all);
    double const rows = static_cast<double>(section.rows.size());
    double const engines = static_cast<double>(view.columns.size());
    double const bottom = k_top + rows * (k_heading + engines * k_pitch);
    double const published =
        references.empty() ? 0 : k_heading + static_cast<double>(references.size()) * k_pitch;
    Scale const x = axis_of(view, section, references);
    Svg svg(view.id("ratio-" + section.id), k_width, section.title, describe(view, section));
    draw_axis(svg, x, section.comparison, bottom + published);
    double y = k_top;
    for (Row const& row : section.rows) {
        draw_band(svg, x, view.control(row), y + k_heading, engines * k_pitch);
        svg.text(0, y + 16, row.label, "b");
        y += k_heading;
        for (Column const& column : view.columns) {
            draw_bar(svg, x, view.cell(row, *column.engine), column, y);
            y += k_pitch;
        }
    }
    if (!references.empty()) svg.text(0, y + 16, "Published, on other machines", "i");
    y += k_heading;
    for (Reference const* const reference : references) {
        double const at = x(*reference->ratio);
        bool const left = at > (k_left + k_right) / 2;
        svg.diamond(at, y + k_pitch / 2, 4.5, "ref", reference->value);
        svg.text(left ? at - 9 : at + 9, y + k_pitch / 2 + 4, reference->label,
                 left ? "s i end" : "s i");
        svg.text(k_width, y + k_pitch / 2 + 4, figure_of(*reference->ratio), "s i end");
        y += k_pitch;
    }
    std::string note = section.comparison == Comparison::added   ? "0 is native."
                       : section.comparison == Comparison::alone ? "1 is undisturbed."
                                                                 : "1 is native; less is faster.";
    if (x.is_log() && section.comparison == Comparison::added) note = "Bars have no zero here.";
    if (x.is_log()) note += " Logarithmic axis.";
    return figure(view.id("figure-" + section.id), section.title, note,
                  svg.finish(bottom + published + 4), table_of(view, section));
}

} // namespace iso::bench::report
