#include "benchmarks/report/over_time.hpp"

#include "benchmarks/harness/text.hpp"
#include "benchmarks/history/history_text.hpp"
#include "benchmarks/history/store.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/over_time_chart.hpp"

#include <fmt/format.h>

namespace iso::bench::report {

namespace {

using history::Machine;
using history::Run;
using history::Trend;

/// The trends that are drawn, in the order of the table, those of one chart together.
std::vector<std::vector<Trend const*>> charts_of(OverTime const& past, Machine const& machine) {
    std::vector<std::vector<Trend const*>> charts;
    for (Trend const* const trend : in_table_order(past.trends)) {
        auto const& key = trend->series->key;
        if (key.machine != machine.id || trend->superseded || trend->good.size() < 2) continue;
        if (!charts.empty() && subject_of(charts.back().front()->series->key) == subject_of(key))
            charts.back().push_back(trend);
        else
            charts.push_back({trend});
    }
    return charts;
}

/// What changed on the machine between its runs, and what is not drawn.
std::string events(OverTime const& past, Machine const& machine) {
    std::string items;
    Run const* before = nullptr;
    for (Run const& run : past.history.runs) {
        if (run.machine != machine.id) continue;
        if (before != nullptr)
            for (auto const& [key, value] : run.facts)
                if (auto const was = before->facts.find(key);
                    was != before->facts.end() && was->second != value)
                    items +=
                        fmt::format("<li>{}: {}: {}, then {}</li>\n", escape_xml(when_text(run)),
                                    escape_xml(key), escape_xml(was->second), escape_xml(value));
        before = &run;
    }
    std::size_t over = 0;
    std::size_t single = 0;
    for (Trend const& trend : past.trends) {
        if (trend.series->key.machine != machine.id) continue;
        over += trend.superseded ? 1 : 0;
        single += !trend.superseded && trend.good.size() < 2 ? 1 : 0;
    }
    if (over != 0)
        items += fmt::format("<li>Not drawn: {} series that went on with other bytes, arguments or "
                             "backend.</li>\n",
                             over);
    if (single != 0)
        items +=
            fmt::format("<li>Not drawn: {} series with fewer than two numbers.</li>\n", single);
    return items.empty() ? std::string() : "<ul class=\"notices\">\n" + items + "</ul>\n";
}

std::string changes_of(OverTime const& past, Machine const& machine) {
    std::string items;
    for (Trend const* const trend : in_table_order(past.trends)) {
        if (trend->series->key.machine != machine.id || trend->superseded) continue;
        for (history::Change const& change : trend->changes)
            items += fmt::format("<li class=\"{}\"><strong>{}</strong> {}</li>\n",
                                 change.is_worse() ? "bad" : "good",
                                 change.is_worse() ? "Dearer." : "Cheaper.",
                                 escape_xml(sentence(past.history, *trend, change)));
    }
    return items.empty() ? std::string() : "<ul class=\"notices\">\n" + items + "</ul>\n";
}

} // namespace

OverTime OverTime::of(std::string name, history::History history) {
    OverTime past;
    past.name = std::move(name);
    past.history = std::move(history);
    past.trends = trends_of(past.history, past.rule);
    return past;
}

Result<OverTime> OverTime::read(std::string const& path) {
    return of(path.substr(path.rfind('/') + 1), TRY(history::load(path)));
}

std::string over_time(OverTime const& past, std::vector<Part>& contents) {
    std::string body;
    for (Machine const& machine : past.history.machines) {
        std::string charts;
        for (auto const& lanes : charts_of(past, machine))
            charts += over_time_chart(past, lanes);
        if (!charts.empty()) charts = "<div class=\"grid\">\n" + charts + "</div>\n";
        body += fmt::format("<h3>{}</h3>\n", escape_xml(machine.words())) +
                changes_of(past, machine) + charts + events(past, machine);
    }
    if (body.empty()) return {};
    contents.push_back({"history", "Over time"});
    return fmt::format(
        "<section aria-labelledby=\"history\">\n<h2 id=\"history\">Over time</h2>\n<p "
        "class=\"lead\">{} runs of {}. Every point is the median of one run, compared with native "
        "in the same block; a lane has its own scale, so that small changes show. Vertical lines "
        "are changes that E-divisive finds (p at most {:g}, two runs on each side at least, and "
        "{:g} % or more). Milliseconds and KiB are compared on one machine "
        "only.</p>\n{}</section>\n",
        past.history.runs.size(), escape_xml(past.name), past.rule.points.level,
        100 * past.rule.min_effect, body);
}

} // namespace iso::bench::report
