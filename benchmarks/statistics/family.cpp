#include "benchmarks/statistics/family.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace iso::bench {

std::vector<double> holm(std::vector<double> const& p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    std::vector<double> adjusted(p.size());
    double highest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        double const one = std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]);
        highest = std::max(highest, one); // no test may pass that a smaller p did not
        adjusted[order[i]] = highest;
    }
    return adjusted;
}

} // namespace iso::bench
