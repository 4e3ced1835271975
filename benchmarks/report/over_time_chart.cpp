#include "benchmarks/report/over_time_chart.hpp"

#include "benchmarks/history/history_text.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::report {

namespace {

using history::Change;
using history::Point;
using history::Run;
using history::SeriesKey;
using history::Trend;

constexpr double k_width = 360;
constexpr double k_left = 98;
constexpr double k_right = 300;
constexpr double k_lane = 58;
constexpr double k_top = 6;
constexpr std::size_t k_most_runs = 60; ///< that can be told apart at this width
/// A lane is never higher than this share of its values: noise must not look like news.
constexpr double k_least_span = 0.06;

/// The runs that any of the lanes has a point of, the newest of them.
std::vector<Run const*> runs_of(OverTime const& past, std::vector<Trend const*> const& lanes) {
    std::vector<Run const*> runs;
    for (Run const& run : past.history.runs) {
        bool const has = std::any_of(lanes.begin(), lanes.end(), [&](Trend const* lane) {
            return std::any_of(lane->series->points.begin(), lane->series->points.end(),
                               [&](Point const& point) { return point.run == run.id; });
        });
        if (has) runs.push_back(&run);
    }
    if (runs.size() > k_most_runs)
        runs.erase(runs.begin(), runs.end() - static_cast<std::ptrdiff_t>(k_most_runs));
    return runs;
}

/// Our engines keep the colour that they have in the other charts.
std::string colour_of(std::string const& engine, unsigned& others) {
    if (engine == "isolate") return "e1";
    if (engine == "vmm-mini") return "e2";
    if (engine == "paravirt-demo") return "e3";
    return fmt::format("e{}", 4 + others++ % 5);
}

class Lane {
public:
    Lane(Trend const& trend, std::vector<Run const*> const& runs, std::string style, double top)
        : trend_(trend)
        , style_(std::move(style))
        , top_(top)
        , x_(Scale::linear(0, static_cast<double>(std::max<std::size_t>(runs.size(), 2) - 1),
                           k_left + 8, k_right - 8))
        , y_(Scale::linear(0, 1, 0, 1)) {
        for (std::size_t place = 0; place < runs.size(); ++place)
            for (std::size_t i = 0; i < points().size(); ++i)
                if (points()[i].run == runs[place]->id) drawn_.push_back({i, place});
        std::vector<double> values;
        for (auto const& [index, place] : drawn_)
            for (auto const& value :
                 {points()[index].value, points()[index].low, points()[index].high})
                if (value) values.push_back(*value);
        if (values.empty()) return;
        auto const [low, high] = std::minmax_element(values.begin(), values.end());
        double const span =
            std::max({*high - *low, k_least_span * std::abs((*high + *low) / 2), 1e-9});
        double const bottom = (*low + *high - span) / 2;
        y_ = Scale::linear(bottom, bottom + span, top + k_lane - 9, top + 9);
    }

    void draw(Svg& svg, std::vector<Run const*> const& runs) const {
        SeriesKey const& key = trend_.series->key;
        svg.rect(k_left, top_ + 2, k_right - k_left, k_lane - 4, "lane");
        svg.text(k_left - 6, top_ + 20, key.engine, "s end");
        svg.text(k_left - 6, top_ + 35, value_text(key, trend_.last()), "v end");
        svg.text(k_left - 6, top_ + 49, trend_.apart.empty() ? key.backend : trend_.apart, "s end");
        draw_levels(svg);
        draw_points(svg, runs);
        draw_verdict(svg);
    }

private:
    struct Drawn {
        std::size_t index; ///< into the series' points
        std::size_t place; ///< among the runs
    };

    [[nodiscard]] std::vector<Point> const& points() const { return trend_.series->points; }

    [[nodiscard]] std::optional<double> x_of(std::size_t index) const {
        for (Drawn const& one : drawn_)
            if (one.index == index) return x_(static_cast<double>(one.place));
        return {};
    }

    /// The median between changes as a thin line, and a line down where it changes.
    void draw_levels(Svg& svg) const {
        double from = k_left;
        for (std::size_t i = 0; i < trend_.changes.size(); ++i) {
            Change const& change = trend_.changes[i];
            auto const at = x_of(change.point);
            if (!at) continue; // before the runs that are drawn
            double const half = x_.high() > 0 ? (k_right - k_left - 16) / x_.high() / 2 : 0;
            double const border = *at - half;
            svg.line(from, y_(change.before), border, y_(change.before), "level");
            svg.line(border, top_ + 2, border, top_ + k_lane - 2, "change");
            from = border;
        }
        if (!trend_.changes.empty())
            svg.line(from, y_(trend_.changes.back().after), k_right,
                     y_(trend_.changes.back().after), "level");
    }

    void draw_points(Svg& svg, std::vector<Run const*> const& runs) const {
        std::string path;
        bool begun = false;
        bool const few = drawn_.size() <= 30;
        for (auto const& [index, place] : drawn_) {
            Point const& point = points()[index];
            double const x = x_(static_cast<double>(place));
            if (!point.value) { // a gap: the line ends, a cross stands at the bottom
                begun = false;
                double const y = top_ + k_lane - 7;
                svg.path(
                    fmt::format("M{} {}l5 5m0 -5l-5 5", coordinate(x - 2.5), coordinate(y - 2.5)),
                    "gap",
                    fmt::format("{}: {}: {}", when_text(*runs[place]), to_string(point.status),
                                point.reason));
                continue;
            }
            path += fmt::format("{}{} {}", begun ? "L" : "M", coordinate(x),
                                coordinate(y_(*point.value)));
            begun = true;
            if (few && point.low)
                svg.line(x, y_(*point.low), x, y_(*point.high), "whisker " + style_ + "l");
        }
        svg.path(path, "thin " + style_ + "l");
        for (auto const& [index, place] : drawn_)
            if (Point const& point = points()[index]; point.value)
                svg.diamond(x_(static_cast<double>(place)), y_(*point.value), few ? 3.5 : 2, style_,
                            fmt::format("{}: {}", when_text(*runs[place]),
                                        value_text(trend_.series->key, *point.value)));
    }

    void draw_verdict(Svg& svg) const {
        if (points()[trend_.good.back()].emulated)
            svg.text(k_width, top_ + 49, "emulated", "s end");
        if (trend_.changes.empty()) {
            svg.text(k_width, top_ + 35, has_enough(trend_, {}) ? "steady" : "too few", "s end");
            return;
        }
        Change const& last = trend_.changes.back();
        svg.text(k_width, top_ + 20, history::percent(last.share),
                 last.is_worse() ? "v loud end" : "v end");
        if (trend_.changes.size() > 1)
            svg.text(k_width, top_ + 35, fmt::format("last of {}", trend_.changes.size()), "s end");
    }

    Trend const& trend_;
    std::string style_;
    double top_;
    Scale x_;
    Scale y_;
    std::vector<Drawn> drawn_;
};

std::string describe(OverTime const& past, std::vector<Trend const*> const& lanes) {
    std::vector<std::string> parts;
    for (Trend const* const lane : lanes) {
        SeriesKey const& key = lane->series->key;
        parts.push_back(fmt::format("{}: {} at first, {} now, {}", key.engine,
                                    value_text(key, lane->first()), value_text(key, lane->last()),
                                    lane->changes.empty()
                                        ? "no change found"
                                        : fmt::format("{} changes", lane->changes.size())));
        for (Change const& change : lane->changes)
            parts.push_back(sentence(past.history, *lane, change));
    }
    return fmt::format("A lane for each engine, the oldest run first. {}.", fmt::join(parts, ". "));
}

Table table_of(OverTime const& past, std::vector<Trend const*> const& lanes,
               std::string const& title) {
    Table table(title, {{"engine"},
                        {"backend"},
                        {"date"},
                        {"commit"},
                        {"value", true},
                        {"95 % interval", true},
                        {"blocks", true},
                        {"remark"}});
    for (Trend const* const lane : lanes) {
        SeriesKey const& key = lane->series->key;
        for (std::size_t i = 0; i < lane->series->points.size(); ++i) {
            Point const& point = lane->series->points[i];
            Run const& run = *past.history.run(point.run);
            std::string remark =
                point.value ? "" : fmt::format("{}: {}", to_string(point.status), point.reason);
            for (Change const& change : lane->changes)
                if (change.point == i)
                    remark = fmt::format("change: {}, p {:.2g}", history::percent(change.share),
                                         change.p);
            if (point.emulated) remark += remark.empty() ? "through emulation" : ", emulation";
            table.add({key.engine, key.backend, run.date, run.commit.substr(0, 12),
                       point.value ? value_text(key, *point.value) : std::string("none"),
                       point.low ? fmt::format("[{}, {}]", value_text(key, *point.low),
                                               value_text(key, *point.high))
                                 : std::string(),
                       point.value ? fmt::format("{}", point.n) : std::string(), remark});
        }
    }
    return table;
}

} // namespace

std::string over_time_chart(OverTime const& past, std::vector<Trend const*> const& lanes) {
    SeriesKey const& key = lanes.front()->series->key;
    std::string const title = subject_of(key);
    std::string const what =
        key.comparison == Comparison::ratio
            ? "Times native."
            : (key.unit == "ms" ? "Milliseconds" : key.unit) + " more than native.";
    std::string const id = slug(fmt::format("{:.8}-{}-{}", key.machine, key.workload, key.metric));
    auto const runs = runs_of(past, lanes);
    Svg svg("over-time-" + id, k_width, title + " over time", describe(past, lanes));
    double y = k_top;
    unsigned others = 0;
    for (Trend const* const lane : lanes) {
        Lane(*lane, runs, colour_of(lane->series->key.engine, others), y).draw(svg, runs);
        y += k_lane;
    }
    svg.text(k_left, y + 13, runs.front()->date.substr(0, 10), "s");
    svg.text(k_right, y + 13, runs.back()->date.substr(0, 10), "s end");
    return figure("figure-over-time-" + id, title, what, svg.finish(y + 18),
                  table_of(past, lanes, title + ": every run"));
}

} // namespace iso::bench::report
