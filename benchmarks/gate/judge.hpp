#pragma once

#include "benchmarks/statistics/effect.hpp"
#include "benchmarks/statistics/rank_test.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iso::bench {

/// When a difference is a regression. Effects are shares: 0.015 is 1.5 %.
struct GateRule {
    double min_effect = 0.015; ///< a smaller slowdown is nobody's business
    double level = 0.01;       ///< of the test, for the whole family
    /// A slowdown of this size has to be visible, or nothing is said: of CPU time, and of wall
    /// time, which on a shared machine is never as sharp.
    double noise_limit = 0.03;
    double wall_noise_limit = 0.10;

    [[nodiscard]] double noise_limit_of(std::string_view metric) const {
        return metric == "cpu-time" ? noise_limit : std::max(noise_limit, wall_noise_limit);
    }
};

/// What is known of a change, as logarithms: ln 1.03 is 3 % more.
struct Evidence {
    bool paired = true;
    std::vector<double> changes; ///< paired: head / base in the same block
    std::vector<double> base;    ///< not paired: engine / native in a block of the one file
    std::vector<double> head;    ///< and of the other

    [[nodiscard]] std::size_t n() const {
        return paired ? changes.size() : std::min(base.size(), head.size());
    }
    [[nodiscard]] Shift shift() const;
    [[nodiscard]] RankTest test(Alternative alternative) const;
    /// Of head over base. Of pairs: how much more often a change is upwards than downwards.
    [[nodiscard]] double cliffs_delta() const;
};

/// One member of the family: the same cell, measured with base and with head.
struct GateCell {
    std::string workload;
    std::string engine;
    std::string metric;
    std::string backend = {};
    Evidence evidence = {};
    Evidence second = {}; ///< wall time where CPU time decides; else empty
    /// The same against itself, in each of the runs: what noise looks like.
    std::vector<std::vector<double>> controls = {};
    std::string missing = {}; ///< why there is no evidence; empty: there is
};

enum class Outcome { fine, improvement, regression, too_noisy, not_run };

[[nodiscard]] std::string_view to_string(Outcome outcome);

struct Judged {
    std::string workload;
    std::string engine;
    std::string metric;
    std::string backend;
    Outcome outcome = Outcome::not_run;
    std::string reason;     ///< a sentence: why this outcome
    std::string shown = {}; ///< of counts, in the place of a change
    std::size_t n = 0;
    double change = 0;             ///< Hodges-Lehmann: 0.03 is 3 % more than base
    std::optional<Interval> range; ///< 95 %
    double p = 1;                  ///< that head is dearer by chance alone
    double adjusted_p = 1;         ///< for the size of the family
    double delta = 0;              ///< Cliff's
    double noise = 0;              ///< the A/A arm's interval reaches this far
    double threshold = 0; ///< what this cell's change had to exceed: the least effect, or what the
                          ///< A/A arm surely differs by
};

struct Judgement {
    GateRule rule;
    bool counts =
        false; ///< exact counts were judged, by whether all runs of the one side are higher
    std::vector<Judged> cells;
    std::vector<std::string> notes; ///< what a reader has to know beside the verdict

    [[nodiscard]] std::size_t count(Outcome outcome) const;
    /// 1 a regression; else 2 something did not run; else 3 too noisy to say; else 0.
    [[nodiscard]] int exit_status() const;
};

/// Judges the whole family at once.
Judgement judge(std::vector<GateCell> const& family, GateRule const& rule);

/// Whether more blocks would not change what can be said of it: the interval of the change and that
/// of the control are narrow beside the smallest effect. Does not look at the change itself, so
/// stopping by it favours no outcome.
bool is_decided(GateCell const& cell, GateRule const& rule);

} // namespace iso::bench
