#include "benchmarks/gate/judge.hpp"

#include "benchmarks/harness/cells.hpp"
#include "benchmarks/statistics/family.hpp"
#include "common/exit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

/// From a logarithm to a share: ln 1.03 to 0.03.
double share(double logarithm) {
    return std::expm1(logarithm);
}

std::string tenths_of_percent(double value) {
    return fmt::format("{:+.1f} %", 100 * value);
}

/// How far what is the same lies from itself, by the intervals of the controls: at most, and at
/// least. At least is 0 where an interval holds no difference.
struct Noise {
    double most = 0;
    double least = 0;
};

std::optional<Noise> noise_of(GateCell const& cell) {
    Noise noise;
    for (std::vector<double> const& control : cell.controls) {
        if (control.empty()) return {};
        auto const interval = pairwise_shift(control).interval;
        if (!interval) return {};
        noise.most = std::max({noise.most, share(interval->high), -share(interval->low)});
        noise.least = std::max({noise.least, share(interval->low), -share(interval->high)});
    }
    if (cell.controls.empty()) return {};
    return noise;
}

/// The second opinion, when it contradicts the first.
std::optional<std::string> contradiction(GateCell const& cell, Interval const& range) {
    if (cell.second.n() == 0) return {};
    auto const other = cell.second.shift().interval;
    if (!other) return {};
    Interval const wall{share(other->low), share(other->high)};
    double const apart =
        std::max((1 + wall.low) / (1 + range.high), (1 + range.low) / (1 + wall.high));
    if (apart <= 1 + k_opinions_apart) return {};
    return fmt::format("CPU time says {} to {}, wall time {} to {}: inconclusive",
                       tenths_of_percent(range.low), tenths_of_percent(range.high),
                       tenths_of_percent(wall.low), tenths_of_percent(wall.high));
}

/// Numbers of one cell; its outcome waits for the family.
Judged weigh(GateCell const& cell, GateRule const& rule) {
    Judged judged;
    judged.workload = cell.workload;
    judged.engine = cell.engine;
    judged.metric = cell.metric;
    judged.backend = cell.backend;
    if (!cell.missing.empty()) {
        judged.reason = cell.missing;
        return judged;
    }
    judged.n = cell.evidence.n();
    if (judged.n == 0) {
        judged.reason = "no block in which both were measured";
        return judged;
    }
    Shift const shift = cell.evidence.shift();
    judged.change = share(shift.estimate);
    if (shift.interval)
        judged.range = Interval{share(shift.interval->low), share(shift.interval->high)};
    judged.p = cell.evidence.test(Alternative::greater).p;
    judged.delta = cell.evidence.cliffs_delta();
    judged.outcome = Outcome::fine;
    auto const noise = noise_of(cell);
    if (!judged.range || !noise) {
        judged.outcome = Outcome::too_noisy;
        judged.reason = fmt::format("only {} blocks: too few for an interval", judged.n);
        return judged;
    }
    judged.noise = noise->most;
    // Chance is the test's affair; beyond it the A/A arm shows what is wrong with this run.
    judged.threshold = std::max(rule.min_effect, noise->least);
    if (auto const text = contradiction(cell, *judged.range)) {
        judged.outcome = Outcome::too_noisy;
        judged.reason = *text;
    }
    return judged;
}

void decide(Judged& judged, double p_dearer, double p_cheaper, GateRule const& rule) {
    judged.adjusted_p = p_dearer;
    if (judged.outcome != Outcome::fine) return;
    std::string const seen =
        fmt::format("{} [{}, {}], p = {:.2g} of {:g}", tenths_of_percent(judged.change),
                    tenths_of_percent(judged.range->low), tenths_of_percent(judged.range->high),
                    p_dearer, rule.level);
    if (p_dearer < rule.level && judged.change > judged.threshold) {
        judged.outcome = Outcome::regression;
        judged.reason =
            fmt::format("{}; more than {:.1f} % counts{}", seen, 100 * judged.threshold,
                        judged.threshold > rule.min_effect ? ", by the noise here" : "");
        return;
    }
    if (p_dearer < rule.level && judged.change > rule.min_effect) {
        judged.outcome = Outcome::too_noisy;
        judged.reason = fmt::format("{}; but the same against itself differs by more than {:.1f} %",
                                    seen, 100 * judged.threshold);
        return;
    }
    double const visible = std::max({rule.min_effect, judged.noise, judged.range->high});
    if (visible > rule.noise_limit_of(judged.metric)) {
        judged.outcome = Outcome::too_noisy;
        judged.reason = fmt::format("{}; the same against itself differs by up to {:.1f} %, and a "
                                    "slowdown of {:.1f} % may hide here",
                                    seen, 100 * judged.noise, 100 * visible);
        return;
    }
    if (p_cheaper < rule.level && judged.change < -judged.threshold) {
        judged.outcome = Outcome::improvement;
        judged.reason =
            fmt::format("{} [{}, {}], p = {:.2g} of {:g}", tenths_of_percent(judged.change),
                        tenths_of_percent(judged.range->low), tenths_of_percent(judged.range->high),
                        p_cheaper, rule.level);
        return;
    }
    judged.reason = fmt::format("{}; no slowdown above {:.1f} %", seen, 100 * visible);
}

} // namespace

Shift Evidence::shift() const {
    if (paired) return pairwise_shift(changes);
    return sample_shift(head, base);
}

RankTest Evidence::test(Alternative alternative) const {
    if (paired) return signed_rank_test(changes, alternative);
    return rank_sum_test(head, base, alternative);
}

double Evidence::cliffs_delta() const {
    if (!paired) return bench::cliffs_delta(head, base);
    return bench::cliffs_delta(changes, {0.0});
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
    case Outcome::fine:
        return "fine";
    case Outcome::improvement:
        return "improvement";
    case Outcome::regression:
        return "regression";
    case Outcome::too_noisy:
        return "too noisy";
    case Outcome::not_run:
        return "not run";
    }
    return "not run";
}

std::size_t Judgement::count(Outcome outcome) const {
    return static_cast<std::size_t>(std::count_if(
        cells.begin(), cells.end(), [&](Judged const& cell) { return cell.outcome == outcome; }));
}

int Judgement::exit_status() const {
    if (count(Outcome::regression) != 0) return exit_code::no;
    if (count(Outcome::not_run) != 0 || cells.empty()) return exit_code::gate_not_run;
    if (count(Outcome::too_noisy) != 0) return exit_code::gate_too_noisy;
    return exit_code::done;
}

Judgement judge(std::vector<GateCell> const& family, GateRule const& rule) {
    Judgement judgement;
    judgement.rule = rule;
    std::vector<double> dearer;
    std::vector<double> cheaper;
    for (GateCell const& cell : family) {
        judgement.cells.push_back(weigh(cell, rule));
        // What did not run stays in the family: it was declared, and must not sharpen the rest.
        bool const ran = judgement.cells.back().n != 0;
        dearer.push_back(judgement.cells.back().p);
        cheaper.push_back(ran ? cell.evidence.test(Alternative::less).p : 1);
    }
    dearer = holm(dearer);
    cheaper = holm(cheaper);
    for (std::size_t i = 0; i < family.size(); ++i)
        if (judgement.cells[i].n != 0) decide(judgement.cells[i], dearer[i], cheaper[i], rule);
    return judgement;
}

bool is_decided(GateCell const& cell, GateRule const& rule) {
    if (!cell.missing.empty()) return true;
    double const wanted = rule.min_effect / 2;
    auto narrow = [&](std::vector<double> const& values) {
        if (values.empty()) return false;
        auto const interval = pairwise_shift(values).interval;
        return interval && interval->half_width() <= wanted;
    };
    return narrow(cell.evidence.changes) &&
           std::all_of(cell.controls.begin(), cell.controls.end(), narrow);
}

} // namespace iso::bench
