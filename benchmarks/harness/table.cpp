#include "benchmarks/harness/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

/// One place in the table: a value that is aligned right, and an interval aligned left after it.
struct Place {
    std::string value;
    std::string interval;
    bool loud = false;
};

struct Line {
    std::string section; ///< a title across the table; then nothing else
    std::string label;
    std::vector<Place> places;
    std::string n;
};

/// With a sign, except for what rounds to nothing.
std::string signed_ms(double ms) {
    double const size = std::abs(ms);
    int const decimals = size < 10 ? 2 : size < 100 ? 1 : 0;
    return size < 0.005 ? "0.00" : fmt::format("{:+.{}f}", ms, decimals);
}

Place place_of(Cell const& cell, EngineRecord const& engine, bool native, TableStyle const& style) {
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
    }
    if (native && cell.bytes_per_op > 0)
        return {format_rate(cell.bytes_per_op, *cell.median), {}, false};
    if (native) return {format_ns(*cell.median * (cell.unit == "ms" ? 1e6 : 1), style), {}, false};
    auto const effect = cell.effect();
    if (!effect) return {style.dash(), {}, false};
    bool const ratio = cell.comparison == Comparison::ratio;
    int const decimals = decimals_for(*effect);
    auto show = [&](double value) {
        return ratio ? fmt::format("{:.{}f}", value, decimals) : signed_ms(value);
    };
    Place place;
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
    case Kind::program:
        return "The program: milliseconds more than native; CPU time as a ratio, start-up included";
    }
    return {};
}

std::string label_of(Cell const& cell, Kind kind) {
    if (kind != Kind::start_up && kind != Kind::program) return cell.workload;
    if (cell.metric == "start-up") return "to 1st instruction";
    if (cell.metric == "first-output") return "to 1st output";
    if (cell.metric == "start-to-exit") return "start to exit";
    return "CPU time";
}

std::vector<Line> lines_of(Results const& results, TableStyle const& style) {
    std::vector<Line> lines;
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
            Line& line = lines.back();
            EngineRecord const& engine = results.engines[line.places.size()];
            line.places.push_back(place_of(cell, engine, line.places.empty(), style));
            if (line.places.size() == 1) line.n = fmt::format("{}", cell.n);
        }
    }
    return lines;
}

struct Widths {
    std::size_t label = 0;
    std::vector<std::size_t> value;
    std::vector<std::size_t> interval;

    [[nodiscard]] std::size_t column(std::size_t i, bool two_lines) const {
        if (two_lines) return std::max(value[i], interval[i]);
        return value[i] + (interval[i] == 0 ? 0 : 1 + interval[i]);
    }
};

std::string second_header(EngineRecord const& engine) {
    if (engine.control) return "noise floor";
    return engine.usable ? engine.backend : "unavailable";
}

Widths measure(Results const& results, std::vector<Line> const& lines) {
    Widths widths;
    for (std::size_t i = 0; i < results.engines.size(); ++i) {
        widths.value.push_back(0);
        widths.interval.push_back(0);
        for (Line const& line : lines) {
            if (i >= line.places.size()) continue;
            widths.value[i] = std::max(widths.value[i], display_width(line.places[i].value));
            widths.interval[i] =
                std::max(widths.interval[i], display_width(line.places[i].interval));
        }
    }
    for (Line const& line : lines)
        widths.label = std::max(widths.label, display_width(line.label) + 2);
    return widths;
}

constexpr char const* k_gap = "  ";

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

} // namespace

std::string render_table(Results const& results, TableStyle const& style) {
    std::vector<Line> const lines = lines_of(results, style);
    Widths const widths = measure(results, lines);
    auto column = [&](std::size_t i, bool two_lines) {
        EngineRecord const& engine = results.engines[i];
        return std::max({widths.column(i, two_lines), display_width(engine.name),
                         display_width(second_header(engine))});
    };
    std::size_t whole = widths.label + 4;
    for (std::size_t i = 0; i < results.engines.size(); ++i)
        whole += 2 + column(i, false);
    bool const two_lines = whole > style.width; // then the interval goes under its value

    std::string names = std::string(widths.label, ' ');
    std::string backends = names;
    for (std::size_t i = 0; i < results.engines.size(); ++i) {
        names += k_gap + pad_left(results.engines[i].name, column(i, two_lines));
        backends += k_gap + pad_left(second_header(results.engines[i]), column(i, two_lines));
    }
    std::string out = style.bold(names + pad_left("n", 5)) + "\n" + trimmed(style.dim(backends));
    for (Line const& line : lines) {
        if (!line.section.empty()) {
            out += style.bold(line.section) + "\n";
            continue;
        }
        std::string first = pad_right("  " + line.label, widths.label);
        std::string second = std::string(widths.label, ' ');
        for (std::size_t i = 0; i < line.places.size(); ++i) {
            Place const& place = line.places[i];
            std::size_t const width = column(i, two_lines);
            std::string text = place.value;
            if (!two_lines && widths.interval[i] != 0)
                text = place.value + " " + pad_left(place.interval, widths.interval[i]);
            std::string const padded = pad_left(text, width);
            first += k_gap + (place.loud ? style.alarm(padded) : padded);
            second += k_gap + pad_left(place.interval, width);
        }
        out += trimmed(first + pad_left(line.n, 5));
        if (two_lines) out += trimmed(style.dim(second));
    }
    return out;
}

} // namespace iso::bench
