#include "benchmarks/history/history_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::history {

namespace {

constexpr std::size_t k_line_points = 32;
/// A sparkline is never drawn steeper than this from bottom to top: noise must not look like news.
constexpr double k_least_span = 0.05;

bool is_chosen(std::vector<std::string> const& chosen, std::string const& name) {
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

std::size_t place_of(std::string const& workload) {
    auto const all = workloads();
    auto const found = std::find_if(all.begin(), all.end(),
                                    [&](Workload const& one) { return one.name == workload; });
    return static_cast<std::size_t>(found - all.begin());
}

std::string plural(std::size_t count, char const* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string day_of(Run const& run) {
    return run.date.substr(0, 10);
}

struct Tally {
    std::size_t numbers = 0;
    std::size_t gaps = 0;
};

Tally tally_of(History const& history, Run const& run) {
    Tally tally;
    for (Series const& series : history.series)
        for (Point const& point : series.points)
            if (point.run == run.id) ++(point.value ? tally.numbers : tally.gaps);
    return tally;
}

std::vector<Run const*> runs_of(History const& history, std::string const& machine) {
    std::vector<Run const*> runs;
    for (Run const& run : history.runs)
        if (run.machine == machine) runs.push_back(&run);
    return runs;
}

std::string heading_of(SeriesKey const& key, TableStyle const& style) {
    std::string const what = key.comparison == Comparison::ratio ? std::string("times native")
                                                                 : key.unit + " more than native";
    return style.bold(subject_of(key)) + style.dim(": " + what);
}

std::string verdict_of(Trend const& trend, TrendRule const& rule, TableStyle const& style) {
    if (trend.good.empty()) return style.alarm("no numbers");
    if (!has_enough(trend, rule)) return style.dim("too few to say");
    if (trend.changes.empty()) return style.dim("steady");
    Change const& last = trend.changes.back();
    std::string text = fmt::format(
        "{} {}", last.is_worse() ? (style.unicode ? "▲" : "^") : (style.unicode ? "▼" : "v"),
        percent(last.share));
    if (trend.is_news(last, rule.newest))
        text = last.is_worse() ? style.alarm(text) : style.bold(text);
    if (trend.changes.size() > 1)
        text += style.dim(fmt::format(" (last of {})", trend.changes.size()));
    return text;
}

std::string label_of(Trend const& trend) {
    SeriesKey const& key = trend.series->key;
    std::string label =
        key.backend.empty() ? key.engine : fmt::format("{} ({})", key.engine, key.backend);
    return trend.apart.empty() ? label : label + ", " + trend.apart;
}

bool is_emulated(Trend const& trend) {
    return !trend.good.empty() && trend.series->points[trend.good.back()].emulated;
}

/// What is missing in the newest runs of a series, or why its series ended.
std::string remark_of(Trend const& trend) {
    Point const& newest = trend.series->points.back();
    if (trend.superseded) return "ended: goes on with other bytes, arguments or backend";
    if (!newest.value)
        return fmt::format("no number in the newest run: {}: {}", to_string(newest.status),
                           newest.reason);
    if (trend.runs_since != 0)
        return fmt::format("not in the newest {}", plural(trend.runs_since, "run"));
    return {};
}

} // namespace

bool Choice::has(Trend const& trend) const {
    SeriesKey const& key = trend.series->key;
    return is_chosen(engines, key.engine) && is_chosen(workloads, key.workload) &&
           key.machine.starts_with(machine) && (superseded || !trend.superseded);
}

std::string paragraph(std::string const& text, std::size_t first, std::size_t indent,
                      TableStyle const& style) {
    std::string lines = wrap(text, style.width - first, indent);
    lines.pop_back();
    return lines;
}

std::string percent(double share) {
    double const shown = 100 * share;
    return fmt::format("{:+.{}f} %", shown, std::abs(shown) < 100 ? 1 : 0);
}

std::string value_text(SeriesKey const& key, double value) {
    if (key.comparison == Comparison::ratio)
        return fmt::format("{:.{}f}", value, decimals_for(value));
    double const size = std::abs(value);
    return fmt::format("{:+.{}f} {}", value, size < 10 ? 2 : size < 100 ? 1 : 0, key.unit);
}

std::string when_text(Run const& run) {
    return run.commit.empty() ? day_of(run) : fmt::format("{} ({:.12})", day_of(run), run.commit);
}

std::string subject_of(SeriesKey const& key) {
    bool const one_metric = key.kind == Kind::compute || key.kind == Kind::latency;
    return one_metric ? key.workload : key.workload + ", " + key.metric;
}

std::vector<Trend const*> in_table_order(std::vector<Trend> const& trends) {
    std::vector<Trend const*> sorted;
    for (Trend const& trend : trends)
        sorted.push_back(&trend);
    std::stable_sort(sorted.begin(), sorted.end(), [](Trend const* a, Trend const* b) {
        SeriesKey const& one = a->series->key;
        SeriesKey const& other = b->series->key;
        return std::make_tuple(one.machine, place_of(one.workload)) <
               std::make_tuple(other.machine, place_of(other.workload));
    });
    return sorted;
}

std::string sentence(History const& history, Trend const& trend, Change const& change) {
    SeriesKey const& key = trend.series->key;
    Run const& run = *history.run(trend.series->points[change.point].run);
    std::string text =
        fmt::format("{} in {}: {} from {} on: {} in {} before, {} in {} since; p = {:.2g}",
                    subject_of(key), key.engine, percent(change.share), when_text(run),
                    value_text(key, change.before), plural(change.points_before, "run"),
                    value_text(key, change.after), plural(change.points_after, "run"), change.p);
    if (!change.also.empty())
        text += fmt::format(". In the same run: {}", fmt::join(change.also, "; "));
    return text;
}

std::string sparkline(Trend const& trend, std::size_t width, TableStyle const& style) {
    static constexpr char const* k_blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr char const* k_ascii[] = {"_", ".", "-", "=", "+", "*", "#", "@"};
    auto const& points = trend.series->points;
    std::size_t const begin = points.size() > width ? points.size() - width : 0;
    double low = 0;
    double high = 0;
    double size = 0;
    bool any = false;
    for (std::size_t i = begin; i < points.size(); ++i) {
        if (!points[i].value) continue;
        double const value = *points[i].value;
        low = any ? std::min(low, value) : value;
        high = any ? std::max(high, value) : value;
        size = std::max({size, std::abs(value), points[i].whole.value_or(0)});
        any = true;
    }
    if (trend.series->key.comparison == Comparison::ratio) size = high;
    double const span = std::max(high - low, k_least_span * size);
    double const bottom = (low + high - span) / 2;
    std::string line;
    for (std::size_t i = begin; i < points.size(); ++i) {
        if (std::any_of(trend.changes.begin(), trend.changes.end(),
                        [&](Change const& change) { return change.point == i; }) &&
            i != begin)
            line += style.unicode ? "│" : "|";
        if (!points[i].value) {
            line += style.unicode ? "·" : " ";
            continue;
        }
        double const part = span > 0 ? (*points[i].value - bottom) / span : 0.5;
        auto const step =
            std::min(static_cast<std::size_t>(std::max(part, 0.0) * 8), std::size_t{7});
        line += style.unicode ? k_blocks[step] : k_ascii[step];
    }
    return line;
}

std::string list_text(History const& history, std::string const& title, TableStyle const& style) {
    if (history.runs.empty())
        return fmt::format("{} holds no runs yet; isobench history add FILE adds one\n", title);
    std::string out = fmt::format("{} of {} in {}\n", plural(history.runs.size(), "run"),
                                  plural(history.machines.size(), "machine"), title);
    for (Machine const& machine : history.machines) {
        out += "\n" + style.bold(fmt::format("machine {:.8}", machine.id)) + "  " +
               paragraph(machine.words(), 18, 18, style) + "\n" +
               style.dim("  run        date              commit        mode   numbers  gaps") +
               "\n";
        for (Run const* const run : runs_of(history, machine.id)) {
            Tally const tally = tally_of(history, *run);
            std::string const gaps = fmt::format("{:>6}", tally.gaps);
            out += fmt::format("  {:.8}   {} {}  {}  {}  {:>7}{}\n", run->id, day_of(*run),
                               run->date.substr(11, 5), pad_right(run->commit.substr(0, 12), 12),
                               pad_right(run->mode, 5), tally.numbers,
                               tally.gaps == 0 ? gaps : style.alarm(gaps));
        }
    }
    return out;
}

std::string show_text(History const& history, std::vector<Trend> const& trends,
                      TrendRule const& rule, TableStyle const& style) {
    std::string out;
    std::string machine;
    std::string heading;
    std::vector<std::string> sentences;
    std::size_t width = 8;
    std::size_t label = 8;
    for (Trend const& trend : trends) {
        std::size_t const points = std::min(trend.series->points.size(), k_line_points);
        width = std::max(width, points + trend.changes.size());
        label = std::max(label, display_width(label_of(trend)));
    }
    for (Trend const* const trend : in_table_order(trends)) {
        SeriesKey const& key = trend->series->key;
        if (key.machine != machine) {
            machine = key.machine;
            auto const runs = runs_of(history, machine);
            out += (out.empty() ? "" : "\n") + style.bold(fmt::format("machine {:.8}", machine)) +
                   "  " + paragraph(history.machine(machine)->words(), 18, 18, style) + "\n" +
                   fmt::format("{}, {} to {}\n\n", plural(runs.size(), "run"),
                               day_of(*runs.front()), day_of(*runs.back())) +
                   style.dim(fmt::format("  {}  {}  {:>4}  {:>11}  {:>11}  change",
                                         pad_right("engine", label), pad_right("course", width),
                                         "runs", "first", "newest")) +
                   "\n";
            heading.clear();
        }
        if (std::string const now = heading_of(key, style); now != heading)
            out += (heading = now) + "\n";
        bool const any = !trend->good.empty();
        out += fmt::format("  {}  {}  {:>4}  {}  {}  {}\n", pad_right(label_of(*trend), label),
                           pad_right(sparkline(*trend, k_line_points, style), width),
                           trend->good.size(),
                           pad_left(any ? value_text(key, trend->first()) : style.dash(), 11),
                           pad_left(any ? (is_emulated(*trend) ? style.hatch() : "") +
                                              value_text(key, trend->last())
                                        : style.dash(),
                                    11),
                           verdict_of(*trend, rule, style));
        if (std::string const remark = remark_of(*trend); !remark.empty())
            out += style.dim(fmt::format("  {}  {}", pad_right("", label),
                                         paragraph(remark, label + 4, label + 4, style))) +
                   "\n";
        for (Change const& change : trend->changes)
            sentences.push_back(sentence(history, *trend, change));
    }
    if (std::any_of(trends.begin(), trends.end(), is_emulated))
        out += "\n" +
               paragraph(fmt::format("{} Much of this time went into emulating guest instructions: "
                                     "this host's KVM, not hardware's.",
                                     style.hatch()),
                         0, 2, style) +
               "\n";
    if (!sentences.empty()) out += "\nChanges\n";
    for (std::string const& one : sentences)
        out += "  " + paragraph(one, 2, 4, style) + "\n";
    return out;
}

} // namespace iso::bench::history
