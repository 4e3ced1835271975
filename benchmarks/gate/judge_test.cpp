#include "benchmarks/gate/gate_text.hpp"
#include "benchmarks/gate/judge.hpp"
#include "common/json.hpp"
#include "tests/support/catch.hpp"

#include <cmath>

using namespace iso::bench;

namespace {

/// n changes around `centre`, spread evenly and so small that nothing is left to chance.
std::vector<double> changes(std::size_t n, double centre, double spread) {
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i)
        values.push_back(std::log1p(centre) +
                         spread * (static_cast<double>(i) / static_cast<double>(n - 1) - 0.5));
    return values;
}

GateCell cell(double change, double spread = 0.01, std::size_t n = 40, double noise = 0.01) {
    GateCell one{"cpu-int", "vmm-mini", "cpu-time"};
    one.evidence.changes = changes(n, change, spread);
    one.controls = {changes(n, 0, noise)};
    return one;
}

Judged verdict(GateCell const& one) {
    return judge({one}, {}).cells.front();
}

} // namespace

TEST_CASE("a slowdown above the least effect is a regression, a smaller one is not") {
    Judgement const slower = judge({cell(0.03)}, {});
    CHECK(slower.cells.front().outcome == Outcome::regression);
    CHECK(slower.cells.front().change == Approx(0.03).epsilon(0.01));
    CHECK(slower.exit_status() == 1);
    CHECK(verdict(cell(0.01)).outcome == Outcome::fine); // significant, but nobody's business
    CHECK(verdict(cell(0.01)).adjusted_p < 0.01);
    GateRule strict;
    strict.min_effect = 0.005;
    CHECK(judge({cell(0.01)}, strict).exit_status() == 1);
}

TEST_CASE("a speed-up is told and passes") {
    Judgement const faster = judge({cell(-0.10)}, {});
    CHECK(faster.cells.front().outcome == Outcome::improvement);
    CHECK(faster.exit_status() == 0);
}

TEST_CASE("what the same build surely differs from itself by raises what counts") {
    GateCell one = cell(0.018);
    one.controls = {changes(40, 0.022, 0.01)}; // not chance: something is wrong with this run
    Judged const judged = verdict(one);
    CHECK(judged.outcome == Outcome::too_noisy); // significant, and no news: never "fine"
    CHECK(judged.threshold > 0.018);
    CHECK(judged.reason.find("the same against itself differs by more than") != std::string::npos);
    one.controls.push_back(changes(40, -0.08, 0.01)); // the furthest of all, to either side
    CHECK(verdict(one).threshold > 0.07);
    CHECK(verdict(one).noise > 0.08);
}

TEST_CASE("chance in the A/A arm does not raise what counts: the test knows of it") {
    GateCell one = cell(0.025, 0.08, 40, 0.25); // the A/A arm's interval reaches beyond 2 %
    Judged const judged = verdict(one);
    CHECK(judged.noise > 0.02);
    CHECK(judged.threshold == Approx(0.015));
    CHECK(judged.outcome == Outcome::regression);
}

TEST_CASE("where a slowdown of the limit could hide nothing is said") {
    CHECK(verdict(cell(0, 1.0, 12)).outcome == Outcome::too_noisy);
    GateCell control = cell(0);
    control.controls = {changes(12, 0, 1.0)};
    CHECK(judge({control}, {}).exit_status() == 3);
    CHECK(verdict(cell(0.03, 0.01, 4)).outcome == Outcome::too_noisy); // no interval
    // But a large regression in large noise is one.
    GateCell large = cell(0.5, 0.2, 40, 0.3);
    CHECK(verdict(large).outcome == Outcome::regression);
}

TEST_CASE("CPU time and wall time that disagree are inconclusive") {
    GateCell one = cell(0.03);
    one.second.changes = changes(40, 0.30, 0.01);
    Judged const judged = verdict(one);
    CHECK(judged.outcome == Outcome::too_noisy);
    CHECK(judged.reason.find("inconclusive") != std::string::npos);
    one.second.changes = changes(40, 0.03, 0.1); // wide, but not elsewhere
    CHECK(verdict(one).outcome == Outcome::regression);
}

TEST_CASE("the whole family pays for its size, cells that did not run included") {
    GateCell const weak = cell(0.02, 0.14, 36); // p about 0.004 alone
    double const alone = judge({weak}, {}).cells.front().adjusted_p;
    CHECK(alone < 0.01);
    GateCell missing{"hello", "isolate", "start-up"};
    missing.missing = "failed: it crashed";
    std::vector<GateCell> family{weak, missing, cell(0), cell(0)};
    Judgement const judgement = judge(family, {});
    CHECK(judgement.cells.front().adjusted_p == Approx(4 * alone));
    CHECK(judgement.cells.front().outcome != Outcome::regression);
}

TEST_CASE("a regression outranks what did not run, and that outranks noise") {
    GateCell missing{"hello", "isolate", "start-up"};
    missing.missing = "failed: it crashed";
    GateCell const noisy = cell(0, 1.0, 12);
    CHECK(judge({cell(0), missing, noisy, cell(0.2)}, {}).exit_status() == 1);
    CHECK(judge({cell(0), missing, noisy}, {}).exit_status() == 2);
    CHECK(judge({cell(0), noisy}, {}).exit_status() == 3);
    CHECK(judge({cell(0)}, {}).exit_status() == 0);
    CHECK(judge({}, {}).exit_status() == 2); // nothing was compared: never "fine"
}

TEST_CASE("samples of two files are told apart without pairs") {
    GateCell one{"cpu-int", "vmm-mini", "cpu-time"};
    one.evidence.paired = false;
    one.evidence.base = changes(30, 0.10, 0.01);
    one.evidence.head = changes(25, 0.14, 0.01);
    one.controls = {changes(30, 0, 0.01), changes(25, 0, 0.01)};
    Judged const judged = verdict(one);
    CHECK(judged.outcome == Outcome::regression);
    CHECK(judged.change == Approx(1.14 / 1.10 - 1).epsilon(0.01));
    CHECK(judged.delta == 1);
    CHECK(judged.n == 25);
}

TEST_CASE("sampling stops when intervals are narrow, whoever is faster") {
    CHECK(is_decided(cell(0.0, 0.005, 40, 0.005), {}));
    CHECK(is_decided(cell(0.5, 0.005, 40, 0.005), {}));
    CHECK_FALSE(is_decided(cell(0.5, 0.5, 40), {}));
    CHECK_FALSE(is_decided(cell(0, 0.005, 40, 0.5), {}));
    CHECK_FALSE(is_decided(cell(0, 0.005, 4), {}));
}

TEST_CASE("the verdict in every format names the cell, its reason and the sum") {
    GateCell missing{"hello", "isolate", "start-up"};
    missing.missing = "failed: it said <\"no\" & | left>";
    Judgement judgement = judge({cell(0.2), missing, cell(0)}, {});
    judgement.notes = {"a note"};
    TableStyle style;
    std::string const table = gate_text(judgement, "A against B", "table", style);
    for (char const* part : {"A against B", "REGRESSION", "NOT RUN", "cpu-int", "vmm-mini", "+20.0",
                             "a note", "1 regression, 1 not run, 1 fine"})
        CHECK(table.find(part) != std::string::npos);

    std::string const markdown = gate_text(judgement, "A against B", "markdown", style);
    CHECK(markdown.find("### isobench gate: 1 regression") == 0);
    CHECK(markdown.find("<details>") != std::string::npos);
    CHECK(markdown.find("\\| left") != std::string::npos); // a bar would end the table's cell

    std::string const junit = gate_text(judgement, "A against B", "junit", style);
    CHECK(junit.find("tests=\"3\" failures=\"1\" errors=\"1\"") != std::string::npos);
    CHECK(junit.find("&lt;&quot;no&quot; &amp; | left&gt;") != std::string::npos);

    auto const document = nlohmann::json::parse(gate_text(judgement, "A against B", "json", style));
    CHECK(document.at("schema") == "isolab.gate/1");
    CHECK(document.at("exit_status") == 1);
    CHECK(document.at("cells").size() == 3);
    CHECK(document.at("cells")[1].at("change").is_null()); // what did not run has no number
}
