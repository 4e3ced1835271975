#pragma once

#include "benchmarks/history/record.hpp"
#include "benchmarks/statistics/change_points.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace iso::bench::history {

/// When a change in a series is worth telling.
struct TrendRule {
    ChangePointRule points;
    double min_effect = 0.015; ///< a smaller change is nobody's business; as the gate's
    std::size_t newest = 10;   ///< how many of the newest runs are looked at for news
};

/// A change: the median before it and after it, up to the neighbouring changes.
struct Change {
    std::size_t point = 0; ///< the first point of what is new: an index into the series' points
    double before = 0;     ///< median of the values before
    double after = 0;
    /// How much dearer, as a share: of the ratio, or, where milliseconds or KiB are what is
    /// compared, of the engine's own number, native's part included.
    double share = 0;
    double p = 1;
    std::size_t points_before = 0;
    std::size_t points_after = 0;
    /// What else differs between this run and the one before: "kernel: A, then B".
    std::vector<std::string> also = {};

    [[nodiscard]] bool is_worse() const { return share > 0; }
};

/// A series with what is known of its course.
struct Trend {
    Series const* series = nullptr;
    std::vector<std::size_t> good; ///< indexes of the points with a number
    std::vector<Change> changes;   ///< in the order of time
    std::size_t runs_since = 0;    ///< of its machine, after its newest point with a number
    std::size_t runs_since_first = 0;
    bool superseded = false; ///< the same cell went on, later, as another series: other bytes
    std::string
        apart; ///< "300M ops": what tells it from another series of the same cell; else empty

    [[nodiscard]] double first() const;
    [[nodiscard]] double last() const;
    /// Whether the change is in the newest points of a series that goes on.
    [[nodiscard]] bool is_news(Change const& change, std::size_t newest) const;
};

/// Every series with its changes. E-divisive finds them (on ln ratio where ratios are compared);
/// then the smallest one goes, and its neighbours are taken together, until none is below
/// `min_effect`. Refers to the history, which is sorted.
std::vector<Trend> trends_of(History const& history, TrendRule const& rule);

/// Whether there are enough points for a change to be found somewhere in it.
bool has_enough(Trend const& trend, TrendRule const& rule);

} // namespace iso::bench::history
