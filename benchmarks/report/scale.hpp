#pragma once

#include <string>
#include <vector>

namespace iso::bench::report {

struct Tick {
    double value = 0;
    std::string label;
};

/// From numbers to coordinates, linear or logarithmic.
class Scale {
public:
    /// Both ends belong to it. Logarithmic: low > 0.
    static Scale linear(double low, double high, double from, double to);
    static Scale logarithmic(double low, double high, double from, double to);

    /// Logarithmic when the values span more than a decade, else linear. The ends get some air.
    /// Values that are not positive make it linear.
    static Scale over(std::vector<double> const& values, double from, double to);

    /// What lies outside is drawn at the edge.
    [[nodiscard]] double operator()(double value) const;
    /// Round numbers, at most `most`, in order.
    [[nodiscard]] std::vector<Tick> ticks(std::size_t most) const;
    [[nodiscard]] bool is_log() const { return log_; }
    [[nodiscard]] double low() const { return low_; }
    [[nodiscard]] double high() const { return high_; }

private:
    bool log_ = false;
    double low_ = 0;
    double high_ = 1;
    double from_ = 0;
    double to_ = 1;
};

/// "0.5", "20", "1k", "10k": a label for an axis.
std::string tick_label(double value);

} // namespace iso::bench::report
