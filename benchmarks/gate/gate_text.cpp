#include "benchmarks/gate/gate_text.hpp"

#include "benchmarks/harness/text.hpp"
#include "common/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace iso::bench {

namespace {

using nlohmann::json;

constexpr Outcome k_outcomes[] = {Outcome::regression, Outcome::not_run, Outcome::too_noisy,
                                  Outcome::improvement, Outcome::fine};

std::string percent(double share) {
    double const shown = 100 * share;
    return std::abs(shown) < 0.005 ? "0.00 %" : fmt::format("{:+.2f} %", shown);
}

std::string change_of(Judged const& cell) {
    return cell.shown.empty() ? percent(cell.change) : cell.shown;
}

std::string interval_of(Judged const& cell) {
    return cell.range ? fmt::format("[{}, {}]", percent(cell.range->low), percent(cell.range->high))
                      : std::string();
}

std::string verdict_of(Judged const& cell, TableStyle const& style) {
    switch (cell.outcome) {
    case Outcome::regression:
        return style.alarm("REGRESSION");
    case Outcome::not_run:
        return style.alarm("NOT RUN");
    case Outcome::too_noisy:
        return style.alarm("TOO NOISY");
    case Outcome::improvement:
        return style.bold("faster");
    case Outcome::fine:
        return "fine";
    }
    return {};
}

std::string rule_of(Judgement const& judgement) {
    if (judgement.counts)
        return "A regression is a count of the program's or the engine's doing that is higher in "
               "every run of "
               "head than in any of base. What timers and interrupts cause is not judged.";
    return fmt::format(
        "A regression is a slowdown above {:.2g} % (or above what the same build surely "
        "differs from itself by, where that is more) with p < {:g}, adjusted for {} cells (Holm). "
        "Changes are "
        "Hodges-Lehmann's, intervals 95 %.",
        100 * judgement.rule.min_effect, judgement.rule.level, judgement.cells.size());
}

bool is_loud(Judged const& cell) {
    return cell.outcome != Outcome::fine && cell.outcome != Outcome::improvement;
}

std::string markdown_cell(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
        text.insert(at, "\\");
    return text;
}

void markdown_rows(std::string& out, Judgement const& judgement, bool loud) {
    out += "| workload | engine | metric | change | 95 % interval | p | n | verdict |\n"
           "|---|---|---|---:|---:|---:|---:|---|\n";
    for (Judged const& cell : judgement.cells) {
        if (is_loud(cell) != loud) continue;
        bool const measured = cell.n != 0;
        out += fmt::format(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n", cell.workload, cell.engine, cell.metric,
            measured ? change_of(cell) : "", measured ? interval_of(cell) : "",
            measured ? fmt::format("{:.2g}", cell.adjusted_p) : "", cell.n,
            markdown_cell(loud ? fmt::format("**{}**: {}", to_string(cell.outcome), cell.reason)
                               : std::string(to_string(cell.outcome))));
    }
}

} // namespace

std::string summary(Judgement const& judgement) {
    std::vector<std::string> parts;
    for (Outcome const outcome : k_outcomes) {
        std::size_t const count = judgement.count(outcome);
        if (count == 0) continue;
        bool const plural =
            count != 1 && (outcome == Outcome::regression || outcome == Outcome::improvement);
        parts.push_back(fmt::format("{} {}{}", count, to_string(outcome), plural ? "s" : ""));
    }
    return parts.empty() ? "nothing was compared" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string gate_table(Judgement const& judgement, std::string const& title,
                       TableStyle const& style) {
    std::size_t workload = 8;
    std::size_t engine = 6;
    std::size_t metric = 6;
    std::size_t interval = 8;
    std::size_t change_width = 9;
    for (Judged const& cell : judgement.cells) {
        workload = std::max(workload, cell.workload.size());
        engine = std::max(engine, cell.engine.size());
        metric = std::max(metric, cell.metric.size());
        interval = std::max(interval, interval_of(cell).size());
        change_width = std::max(change_width, change_of(cell).size());
    }
    std::string out = style.bold(title) + "\n" + wrap(rule_of(judgement), style.width) + "\n";
    auto line = [&](std::string const& a, std::string const& b, std::string const& c,
                    std::string const& change, std::string const& range, std::string const& n) {
        return fmt::format("  {}  {}  {}  {}  {}  {}  ", pad_right(a, workload),
                           pad_right(b, engine), pad_right(c, metric),
                           pad_left(change, change_width), pad_left(range, interval),
                           pad_left(n, 5));
    };
    out += style.bold(line("workload", "engine", "metric", "change", "interval", "n") + "verdict") +
           "\n";
    for (Judged const& cell : judgement.cells)
        out += line(cell.workload, cell.engine, cell.metric,
                    cell.n == 0 ? style.dash() : change_of(cell),
                    cell.n == 0 ? "" : interval_of(cell), fmt::format("{}", cell.n)) +
               verdict_of(cell, style) + "\n";
    bool blank = true;
    for (Outcome const outcome : k_outcomes)
        for (Judged const& cell : judgement.cells) {
            if (cell.outcome != outcome || !is_loud(cell)) continue;
            if (std::exchange(blank, false)) out += "\n";
            out += wrap(fmt::format("{}: {} in {} ({}): {}", to_string(outcome), cell.workload,
                                    cell.engine, cell.metric, cell.reason),
                        style.width, 2);
        }
    if (!judgement.notes.empty()) out += "\n";
    for (std::string const& note : judgement.notes)
        out += wrap("note: " + note, style.width, 6);
    return out + "\n" + style.bold(summary(judgement)) + "\n";
}

std::string gate_markdown(Judgement const& judgement, std::string const& title) {
    bool const loud = std::any_of(judgement.cells.begin(), judgement.cells.end(), is_loud);
    std::string out = fmt::format("### isobench gate: {}\n\n{}\n\n", summary(judgement), title);
    if (loud) {
        markdown_rows(out, judgement, true);
        out += "\n";
    }
    out += fmt::format("<details><summary>{} cells in which nothing got slower</summary>\n\n",
                       judgement.count(Outcome::fine) + judgement.count(Outcome::improvement));
    markdown_rows(out, judgement, false);
    out += fmt::format("\n</details>\n<details><summary>How to read this</summary>\n\n{}\n",
                       rule_of(judgement));
    for (std::string const& note : judgement.notes)
        out += "\n* " + note;
    return out + "\n\n</details>\n";
}

std::string gate_junit(Judgement const& judgement, std::string const& title) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    out += fmt::format(
        "<testsuites>\n <testsuite name=\"isobench gate: {}\" tests=\"{}\" failures=\"{}\" "
        "errors=\"{}\" skipped=\"0\">\n",
        escape_xml(title), judgement.cells.size(), judgement.count(Outcome::regression),
        judgement.count(Outcome::not_run) + judgement.count(Outcome::too_noisy));
    for (Judged const& cell : judgement.cells) {
        out +=
            fmt::format("  <testcase classname=\"{}.{}\" name=\"{}\">\n", escape_xml(cell.workload),
                        escape_xml(cell.engine), escape_xml(cell.metric));
        std::string const reason = escape_xml(cell.reason);
        if (cell.outcome == Outcome::regression)
            out += fmt::format("   <failure type=\"regression\" message=\"{}\"/>\n", reason);
        else if (is_loud(cell))
            out += fmt::format("   <error type=\"{}\" message=\"{}\"/>\n", to_string(cell.outcome),
                               reason);
        else
            out += fmt::format("   <system-out>{}: {}</system-out>\n", to_string(cell.outcome),
                               reason);
        out += "  </testcase>\n";
    }
    return out + " </testsuite>\n</testsuites>\n";
}

std::string gate_json(Judgement const& judgement, std::string const& title) {
    json cells = json::array();
    for (Judged const& cell : judgement.cells) {
        bool const measured = cell.n != 0;
        auto number = [&](double value) {
            return measured && cell.shown.empty() ? json(value) : json();
        };
        cells.push_back({{"workload", cell.workload},
                         {"engine", cell.engine},
                         {"metric", cell.metric},
                         {"backend", cell.backend},
                         {"outcome", to_string(cell.outcome)},
                         {"reason", cell.reason},
                         {"n", cell.n},
                         {"change", number(cell.change)},
                         {"ci_low", cell.range ? json(cell.range->low) : json()},
                         {"ci_high", cell.range ? json(cell.range->high) : json()},
                         {"p", number(cell.p)},
                         {"adjusted_p", number(cell.adjusted_p)},
                         {"cliffs_delta", number(cell.delta)},
                         {"noise", number(cell.noise)},
                         {"threshold", number(cell.threshold)}});
    }
    json const document = {{"schema", "isolab.gate/1"},
                           {"title", title},
                           {"rule",
                            {{"min_effect", judgement.rule.min_effect},
                             {"level", judgement.rule.level},
                             {"noise_limit", judgement.rule.noise_limit},
                             {"wall_noise_limit", judgement.rule.wall_noise_limit}}},
                           {"counts", judgement.counts},
                           {"summary", summary(judgement)},
                           {"exit_status", judgement.exit_status()},
                           {"cells", cells},
                           {"notes", judgement.notes}};
    return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::string> format_of_report(std::string const& path) {
    static constexpr std::pair<char const*, char const*> k_formats[] = {
        {".md", "markdown"}, {".xml", "junit"}, {".json", "json"}, {".txt", "table"}};
    for (auto const& [ending, format] : k_formats)
        if (path.ends_with(ending)) return std::string(format);
    return tl::unexpected<Error>(Error{"--report " + path, "its ending names no format",
                                       "FILE.md, FILE.xml (JUnit), FILE.json or FILE.txt", 0,
                                       exit_code::usage});
}

std::string gate_text(Judgement const& judgement, std::string const& title,
                      std::string const& format, TableStyle const& style) {
    if (format == "markdown") return gate_markdown(judgement, title);
    if (format == "junit") return gate_junit(judgement, title);
    if (format == "json") return gate_json(judgement, title);
    return gate_table(judgement, title, style);
}

} // namespace iso::bench
