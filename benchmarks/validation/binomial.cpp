#include "benchmarks/validation/binomial.hpp"

#include <cmath>

namespace iso::bench::validation {

namespace {

/// P(X <= hits) of n trials that succeed with probability p, 0 < p < 1.
double at_most(std::uint64_t hits, std::uint64_t n, double p) {
    auto const trials = static_cast<double>(n);
    double sum = 0;
    for (std::uint64_t k = 0; k <= hits; ++k) {
        auto const x = static_cast<double>(k);
        sum += std::exp(std::lgamma(trials + 1) - std::lgamma(x + 1) - std::lgamma(trials - x + 1) +
                        x * std::log(p) + (trials - x) * std::log1p(-p));
    }
    return sum;
}

/// The p at which a function that falls with p passes `wanted`.
template <typename Function>
double bisect(Function const& falling, double wanted) {
    double low = 0;
    double high = 1;
    for (int i = 0; i < 60; ++i) {
        double const middle = (low + high) / 2;
        (falling(middle) > wanted ? low : high) = middle;
    }
    return (low + high) / 2;
}

} // namespace

Interval clopper_pearson(std::uint64_t hits, std::uint64_t n, double level) {
    double const tail = (1 - level) / 2;
    Interval interval{0, 1};
    if (hits != 0)
        interval.low = bisect([&](double p) { return at_most(hits - 1, n, p); }, 1 - tail);
    if (hits != n) interval.high = bisect([&](double p) { return at_most(hits, n, p); }, tail);
    return interval;
}

} // namespace iso::bench::validation
