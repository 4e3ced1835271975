#include "benchmarks/report/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench::report {

Scale Scale::linear(double low, double high, double from, double to) {
    Scale scale;
    scale.low_ = low;
    scale.high_ = high > low ? high : low + 1;
    scale.from_ = from;
    scale.to_ = to;
    return scale;
}

Scale Scale::logarithmic(double low, double high, double from, double to) {
    Scale scale = linear(low, high > low ? high : low * 10, from, to);
    scale.log_ = true;
    return scale;
}

Scale Scale::over(std::vector<double> const& values, double from, double to) {
    if (values.empty()) return linear(0, 1, from, to);
    auto const [low, high] = std::minmax_element(values.begin(), values.end());
    if (*low > 0 && *high / *low > 10) return logarithmic(*low / 1.15, *high * 1.15, from, to);
    double const air = std::max((*high - *low) * 0.05, 1e-9);
    return linear(*low < 0 || *low - air > 0 ? *low - air : 0, *high + air, from, to);
}

double Scale::operator()(double value) const {
    double const inside = std::clamp(value, low_, high_);
    double const part =
        log_ ? std::log(inside / low_) / std::log(high_ / low_) : (inside - low_) / (high_ - low_);
    return from_ + part * (to_ - from_);
}

std::vector<Tick> Scale::ticks(std::size_t most) const {
    std::vector<Tick> found;
    auto add = [&](double value) {
        if (value >= low_ * (log_ ? 0.9999 : 1) - 1e-12 && value <= high_ * 1.000001)
            found.push_back({value, tick_label(value)});
    };
    if (!log_) {
        double const raw = (high_ - low_) / static_cast<double>(std::max<std::size_t>(most, 2) - 1);
        double const decade = std::pow(10, std::floor(std::log10(raw)));
        double step = 10 * decade;
        for (double const part : {1.0, 2.0, 5.0})
            if (part * decade >= raw * (1 - 1e-9)) {
                step = part * decade;
                break;
            }
        for (double at = std::ceil(low_ / step); at * step <= high_ + step * 1e-9; ++at)
            add(at * step);
        return found;
    }
    // The finest of these sets that is not too crowded.
    std::vector<std::vector<double>> const sets = {{1, 2, 5}, {1, 3}, {1}};
    int const first = static_cast<int>(std::floor(std::log10(low_)));
    int const last = static_cast<int>(std::ceil(std::log10(high_)));
    for (auto const& set : sets) {
        found.clear();
        for (int decade = first; decade <= last; ++decade)
            for (double const part : set)
                add(part * std::pow(10, decade));
        if (found.size() <= most) return found;
    }
    std::vector<Tick> fewer;
    std::size_t const skip = (found.size() + most - 1) / std::max<std::size_t>(most, 1);
    for (std::size_t i = 0; i < found.size(); i += skip)
        fewer.push_back(found[i]);
    return fewer;
}

std::string tick_label(double value) {
    double const size = std::abs(value);
    if (size < 1e-12) return "0";
    if (size >= 999'999.5) return fmt::format("{:g}M", value / 1e6);
    if (size >= 999.5) return fmt::format("{:g}k", value / 1e3);
    return fmt::format("{:.6g}", value);
}

} // namespace iso::bench::report
