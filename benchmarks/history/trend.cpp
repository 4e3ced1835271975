#include "benchmarks/history/trend.hpp"

#include "benchmarks/statistics/median.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::history {

namespace {

/// The values of good points [begin, end), as they are told.
std::vector<double> values_of(Trend const& trend, std::size_t begin, std::size_t end) {
    std::vector<double> values;
    for (std::size_t i = begin; i < end; ++i)
        values.push_back(*trend.series->points[trend.good[i]].value);
    return values;
}

/// What a change is a share of, in the unit of the values.
double size_of(Trend const& trend, std::size_t begin, std::size_t end, double middle) {
    if (trend.series->key.comparison == Comparison::ratio) return middle;
    std::vector<double> wholes;
    for (std::size_t i = begin; i < end; ++i)
        if (auto const whole = trend.series->points[trend.good[i]].whole) wholes.push_back(*whole);
    return wholes.empty() ? middle : median(std::move(wholes));
}

/// The change at good point `at`, between the borders next to it.
Change change_at(Trend const& trend, std::size_t before, std::size_t at, std::size_t after,
                 double p) {
    Change change;
    change.point = trend.good[at];
    change.points_before = at - before;
    change.points_after = after - at;
    change.before = median(values_of(trend, before, at));
    change.after = median(values_of(trend, at, after));
    double const size = std::abs(size_of(trend, before, at, change.before));
    change.share = size > 0 ? (change.after - change.before) / size : 0;
    change.p = p;
    return change;
}

std::vector<Change> between(Trend const& trend, std::vector<ChangePoint> const& points) {
    std::vector<Change> changes;
    for (std::size_t i = 0; i < points.size(); ++i)
        changes.push_back(change_at(
            trend, i == 0 ? 0 : points[i - 1].index, points[i].index,
            i + 1 == points.size() ? trend.good.size() : points[i + 1].index, points[i].p));
    return changes;
}

std::vector<Change> changes_of(Trend const& trend, TrendRule const& rule) {
    std::vector<double> values = values_of(trend, 0, trend.good.size());
    if (trend.series->key.comparison == Comparison::ratio)
        for (double& value : values)
            value = std::log(value);
    std::vector<ChangePoint> points = change_points(values, rule.points);
    for (;;) {
        std::vector<Change> changes = between(trend, points);
        auto const smallest =
            std::min_element(changes.begin(), changes.end(), [](Change const& a, Change const& b) {
                return std::abs(a.share) < std::abs(b.share);
            });
        if (changes.empty() || std::abs(smallest->share) >= rule.min_effect) return changes;
        points.erase(points.begin() + (smallest - changes.begin()));
    }
}

/// What differs between a run and the one before it in the series.
std::vector<std::string> differences(Run const& before, Run const& after) {
    std::vector<std::string> found;
    for (auto const& [key, value] : after.facts) {
        auto const was = before.facts.find(key);
        if (was != before.facts.end() && was->second != value)
            found.push_back(fmt::format("{}: {}, then {}", key, was->second, value));
    }
    return found;
}

void add_differences(Trend& trend, History const& history) {
    auto const& points = trend.series->points;
    for (Change& change : trend.changes) {
        auto const at = std::find(trend.good.begin(), trend.good.end(), change.point);
        Run const* const before = history.run(points[*(at - 1)].run);
        Run const* const after = history.run(points[change.point].run);
        if (before != nullptr && after != nullptr) change.also = differences(*before, *after);
    }
}

/// How many runs its machine has after the given one.
std::size_t runs_after(std::string const& run, Trend const& trend, History const& history) {
    std::size_t since = 0;
    for (auto one = history.runs.rbegin(); one != history.runs.rend() && one->id != run; ++one)
        since += one->machine == trend.series->key.machine ? 1 : 0;
    return since;
}

bool same_cell(SeriesKey const& a, SeriesKey const& b) {
    return a.machine == b.machine && a.workload == b.workload && a.engine == b.engine &&
           a.metric == b.metric;
}

/// Whether there is another series of the same cell of which that holds.
template <typename Holds>
bool has_another(std::vector<Trend> const& trends, Trend const& trend, Holds holds) {
    return std::any_of(trends.begin(), trends.end(), [&](Trend const& other) {
        return &other != &trend && same_cell(other.series->key, trend.series->key) && holds(other);
    });
}

std::string ops_text(std::uint64_t ops) {
    auto const value = static_cast<double>(ops);
    if (value >= 1e6) return fmt::format("{:.3g}M ops", value / 1e6);
    if (value >= 1e4) return fmt::format("{:.3g}k ops", value / 1e3);
    return fmt::format("{} ops", ops);
}

} // namespace

double Trend::first() const {
    return *series->points[good.front()].value;
}

double Trend::last() const {
    return *series->points[good.back()].value;
}

bool Trend::is_news(Change const& change, std::size_t newest) const {
    auto const at =
        static_cast<std::size_t>(std::find(good.begin(), good.end(), change.point) - good.begin());
    return !superseded && runs_since < newest && good.size() - at <= newest;
}

std::vector<Trend> trends_of(History const& history, TrendRule const& rule) {
    std::vector<Trend> trends;
    for (Series const& series : history.series) {
        if (series.points.empty()) continue; // only in a file that something else wrote to
        Trend trend;
        trend.series = &series;
        for (std::size_t i = 0; i < series.points.size(); ++i)
            if (series.points[i].value) trend.good.push_back(i);
        std::size_t const newest = trend.good.empty() ? 0 : trend.good.back();
        std::size_t const oldest = trend.good.empty() ? 0 : trend.good.front();
        trend.runs_since = runs_after(series.points[newest].run, trend, history);
        trend.runs_since_first = runs_after(series.points[oldest].run, trend, history);
        if (has_enough(trend, rule)) trend.changes = changes_of(trend, rule);
        add_differences(trend, history);
        trends.push_back(std::move(trend));
    }
    for (Trend& trend : trends)
        trend.superseded = has_another(trends, trend, [&](Trend const& other) {
            return !other.good.empty() && other.runs_since_first < trend.runs_since;
        });
    for (Trend& trend : trends) {
        SeriesKey const& key = trend.series->key;
        bool const shared =
            has_another(trends, trend, [](Trend const& other) { return !other.superseded; });
        if (!shared || trend.superseded) continue;
        bool const by_ops = has_another(trends, trend, [&](Trend const& other) {
            return !other.superseded && other.series->key.ops != key.ops;
        });
        trend.apart = by_ops ? ops_text(key.ops) : fmt::format("bytes {:.6}", key.sha256);
    }
    return trends;
}

bool has_enough(Trend const& trend, TrendRule const& rule) {
    std::size_t const points = trend.good.size();
    for (std::size_t newest = rule.points.least; 2 * newest <= points; ++newest)
        if (fewest_points_for_change(rule.points, newest) <= points) return true;
    return false;
}

} // namespace iso::bench::history
