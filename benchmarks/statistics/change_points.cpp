#include "benchmarks/statistics/change_points.hpp"

#include "benchmarks/statistics/random.hpp"

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

double as_double(std::size_t value) {
    return static_cast<double>(value);
}

/// A part of the series that is not divided (any more).
struct Part {
    std::size_t begin = 0;
    std::vector<double> values;
    Split split;
};

Part part_of(std::vector<double> const& values, std::size_t begin, std::size_t end,
             std::size_t least) {
    Part part;
    part.begin = begin;
    part.values.assign(values.begin() + static_cast<std::ptrdiff_t>(begin),
                       values.begin() + static_cast<std::ptrdiff_t>(end));
    part.split = best_split(part.values, least);
    return part;
}

/// Q of sums that should be equal differ in their last bits when they were added up in another
/// order. What is within this counts as equal: as surprising, not as less.
double tolerance_of(std::vector<double> const& values) {
    auto const [low, high] = std::minmax_element(values.begin(), values.end());
    return 1e-12 * (*high - *low) * as_double(values.size());
}

/// p of the best split, by as many shuffles as it takes to know that it is not below the level.
double permutation_p(std::vector<Part> const& parts, double statistic, double tolerance,
                     ChangePointRule const& rule, std::size_t step) {
    Random random(derive_seed(rule.seed, "change-points", step));
    auto const all = static_cast<double>(rule.permutations) + 1;
    unsigned as_large = 1; // what was seen is one of the orders
    for (unsigned round = 1; round <= rule.permutations; ++round) {
        double largest = 0;
        for (Part const& part : parts) {
            if (part.values.size() < 2 * rule.least) continue;
            std::vector<double> shuffled = part.values;
            random.shuffle(shuffled);
            largest = std::max(largest, best_split(shuffled, rule.least).statistic);
        }
        if (largest >= statistic - tolerance) ++as_large;
        if (as_large > rule.level * all) return as_large / (as_double(round) + 1);
    }
    return as_large / all;
}

} // namespace

Split best_split(std::vector<double> const& values, std::size_t least) {
    least = std::max<std::size_t>(least, 2); // a side's distances to itself need two points
    Split best;
    // within[a]: the sum of the distances of all pairs in [a, end). Each further point adds its
    // distances to those before it. from_start[t] is the same of [0, t).
    std::vector<double> within(values.size(), 0.0);
    std::vector<double> from_start(values.size() + 1, 0.0);
    for (std::size_t end = 1; end <= values.size(); ++end) {
        double added = 0;
        for (std::size_t a = end - 1; a-- > 0;) {
            added += std::abs(values[a] - values[end - 1]);
            within[a] += added;
        }
        from_start[end] = within[0];
        for (std::size_t index = least; index + least <= end; ++index) {
            double const n = as_double(index);
            double const m = as_double(end - index);
            double const left = from_start[index];
            double const right = within[index];
            double const between = from_start[end] - left - right;
            double const energy =
                2 * between / (n * m) - 2 * left / (n * (n - 1)) - 2 * right / (m * (m - 1));
            double const statistic = n * m / (n + m) * energy;
            if (statistic > best.statistic) best = {index, end, statistic};
        }
    }
    return best;
}

std::vector<ChangePoint> change_points(std::vector<double> const& values,
                                       ChangePointRule const& rule) {
    std::vector<ChangePoint> found;
    if (values.size() < 2 * rule.least) return found;
    double const tolerance = tolerance_of(values);
    std::vector<Part> parts{part_of(values, 0, values.size(), rule.least)};
    for (std::size_t step = 0;; ++step) {
        auto const best =
            std::max_element(parts.begin(), parts.end(), [](Part const& a, Part const& b) {
                return a.split.statistic < b.split.statistic;
            });
        if (best->split.statistic <= tolerance) break;
        double const p = permutation_p(parts, best->split.statistic, tolerance, rule, step);
        if (p > rule.level) break;
        std::size_t const begin = best->begin;
        std::size_t const middle = begin + best->split.index;
        std::size_t const end = begin + best->values.size();
        found.push_back({middle, best->split.statistic, p});
        *best = part_of(values, begin, middle, rule.least);
        parts.push_back(part_of(values, middle, end, rule.least));
    }
    std::sort(found.begin(), found.end(),
              [](ChangePoint const& a, ChangePoint const& b) { return a.index < b.index; });
    return found;
}

std::size_t fewest_points_for_change(ChangePointRule const& rule, std::size_t newest) {
    // A step that is far above the noise is the most orderly of all orders together with its mirror
    // image: those have the newest points at the one end or at the other.
    newest = std::max(newest, rule.least);
    double choices = 1; // ways to choose the newest out of all
    std::size_t points = newest;
    while (points < newest + rule.least || 2 / choices > rule.level) {
        ++points;
        choices *= as_double(points) / as_double(points - newest);
    }
    return points;
}

} // namespace iso::bench
