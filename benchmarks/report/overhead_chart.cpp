// Counts times prices, as the harness multiplied them (decomposition.hpp): what they are of the
// extra time, and what is left over.
#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/scale.hpp"
#include "benchmarks/report/svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

constexpr double k_width = 360;
constexpr double k_row = 42;

/// Causes in the order in which they first appear: each has its colour in every chart of the page.
std::vector<std::string> causes_of(Results const& results) {
    std::vector<std::string> causes;
    for (Decomposition const& made : results.decompositions)
        for (Decomposition::Cost const& cost : made.costs)
            if (std::find(causes.begin(), causes.end(), cost.what) == causes.end())
                causes.push_back(cost.what);
    return causes;
}

std::string style_of(std::vector<std::string> const& causes, std::string const& cause) {
    return fmt::format("c{}",
                       (std::find(causes.begin(), causes.end(), cause) - causes.begin()) % 8);
}

std::string legend(std::vector<std::string> const& causes) {
    std::string items;
    for (std::string const& cause : causes)
        items += fmt::format("<li><span class=\"swatch {}\"></span>{}</li>",
                             style_of(causes, cause), escape_xml(cause));
    items += "<li><span class=\"swatch c-rest\"></span>residual: not explained by a count</li>";
    return "<ul class=\"legend\">" + items + "</ul>\n";
}

/// Those of one engine whose extra time can be told from noise.
std::vector<Decomposition const*> explained(View const& view, std::string const& engine) {
    std::vector<Decomposition const*> all;
    for (Decomposition const& made : view.results.decompositions) {
        if (made.engine != engine || made.added_ns <= 0) continue;
        Cell const* const cell = view.results.find(made.workload, "own-time", engine);
        if (cell == nullptr || cell->status != Status::ok) continue;
        if (cell->ci_low && *cell->ci_low > 1) all.push_back(&made);
    }
    return all;
}

std::string share(double ns, Decomposition const& made) {
    return fmt::format("{:.0f} %", 100 * ns / made.added_ns);
}

void draw_row(Svg& svg, Decomposition const& made, std::vector<std::string> const& causes,
              double y) {
    double positive = 0;
    for (Decomposition::Cost const& cost : made.costs)
        positive += std::max(cost.ns(), 0.0);
    // When the prices come to more than there is, the bar is of what they come to.
    Scale const x = Scale::linear(0, std::max(made.added_ns, positive), 0, k_width);
    svg.text(0, y + 14, made.workload, "b");
    svg.text(k_width, y + 14,
             fmt::format("+{}, {} explained", time_text(made.added_ns, "ns"),
                         share(made.explained_ns(), made)),
             "s end");
    double at = 0;
    for (Decomposition::Cost const& cost : made.costs) {
        if (cost.ns() <= 0) continue;
        svg.rect(x(at), y + 20, std::max(x(at + cost.ns()) - x(at), 0.5), 14,
                 style_of(causes, cost.what),
                 fmt::format("{}: {} times {}", cost.what, figure_of(cost.count),
                             time_text(cost.unit_ns, "ns")));
        at += cost.ns();
    }
    if (at < made.added_ns)
        svg.rect(x(at), y + 20, x(made.added_ns) - x(at), 14, "c-rest",
                 "residual: " + time_text(made.added_ns - at, "ns"));
}

Table table_of(std::string const& engine, std::vector<Decomposition const*> const& rows) {
    Table table("One operation in " + engine + ": where its extra time goes", {{"workload"},
                                                                               {"cause"},
                                                                               {"count", true},
                                                                               {"each", true},
                                                                               {"together", true},
                                                                               {"share", true}});
    for (Decomposition const* const made : rows) {
        for (Decomposition::Cost const& cost : made->costs)
            table.add({made->workload, cost.what, figure_of(cost.count),
                       time_text(cost.unit_ns, "ns"), time_text(cost.ns(), "ns"),
                       share(cost.ns(), *made)});
        table.add({made->workload, "residual", "", "", time_text(made->rest_ns(), "ns"),
                   share(made->rest_ns(), *made)});
        table.add({made->workload, "all of it", "", "", time_text(made->added_ns, "ns"), "100 %"});
    }
    return table;
}

std::string draw(View const& view, std::string const& engine,
                 std::vector<std::string> const& causes) {
    auto const rows = explained(view, engine);
    if (rows.empty()) return {};
    std::vector<std::string> parts;
    for (Decomposition const* const made : rows)
        parts.push_back(fmt::format("{}: {} of {} explained", made->workload,
                                    share(made->explained_ns(), *made),
                                    time_text(made->added_ns, "ns")));
    Svg svg(view.id("why-" + engine), k_width, "Why an operation takes longer in " + engine,
            fmt::format("Each bar is the extra time of one operation, divided by cause. {}.",
                        fmt::join(parts, "; ")));
    double y = 0;
    for (Decomposition const* const made : rows) {
        draw_row(svg, *made, causes, y);
        y += k_row;
    }
    return figure(view.id("figure-why-" + engine), engine, "", svg.finish(y),
                  table_of(engine, rows));
}

std::string prices(Results const& results) {
    Table table("What the host charged for one of a thing in this run",
                {{"thing"}, {"price", true}});
    for (auto const& [name, ns] : results.unit_costs) {
        std::string words = name;
        std::replace(words.begin(), words.end(), '_', ' ');
        table.add({words, time_text(ns, "ns")});
    }
    return table.empty() ? std::string() : details("The prices", table.box());
}

} // namespace

std::string overhead_chart(View const& view) {
    auto const causes = causes_of(view.results);
    std::string charts;
    for (Column const& column : view.columns)
        charts += draw(view, column.engine->name, causes);
    if (charts.empty()) return {};
    return legend(causes) + "<div class=\"grid\">\n" + charts + "</div>\n" + prices(view.results);
}

} // namespace iso::bench::report
