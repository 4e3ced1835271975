// What the page says in words: the same sentences as the terminal, then everything that a reader
// must know before believing a number.
#include "benchmarks/harness/headline.hpp"
#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace iso::bench::report {

namespace {

/// "a; b (c; d); e" as {"a", "b (c; d)", "e"}.
std::vector<std::string> clauses(std::string const& text) {
    std::vector<std::string> parts(1);
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        if (depth == 0 && text.compare(i, 2, "; ") == 0) {
            parts.emplace_back();
            ++i;
        } else {
            parts.back() += text[i];
        }
    }
    return parts;
}

std::string card(View const& view, std::string const& line) {
    auto const space = line.find(" (");
    auto const colon = line.find("): ");
    if (space == std::string::npos || colon == std::string::npos || colon < space)
        return "<p class=\"lead\">" + escape_xml(line) + "</p>\n";
    std::string const engine = line.substr(0, space);
    std::string items;
    for (std::string const& clause : clauses(line.substr(colon + 3)))
        items += "<li>" + escape_xml(clause) + "</li>\n";
    return fmt::format("<article class=\"card {}b\">\n<h3>{}</h3>\n<p class=\"note\">{}</p>\n"
                       "<ul>\n{}</ul>\n</article>\n",
                       view.style_of(engine), escape_xml(engine),
                       escape_xml(line.substr(space + 2, colon - space - 2)), items);
}

std::string notice(char const* kind, char const* word, std::string const& text) {
    return fmt::format("<li class=\"{}\"><strong>{}</strong> {}</li>\n", kind, word,
                       escape_xml(text));
}

} // namespace

std::string in_short(View const& view) {
    TableStyle style;
    style.width = std::size_t{1} << 20U; // one line for each engine
    std::istringstream lines(headline(view.results, style));
    std::string cards;
    for (std::string line; std::getline(lines, line);)
        if (!line.empty()) cards += card(view, line);
    return "<div class=\"cards\">\n" + cards + "</div>\n";
}

std::string troubles(View const& view) {
    Results const& results = view.results;
    std::string items;
    std::string last;
    for (Cell const& cell : results.cells) {
        if (cell.status == Status::ok || cell.status == Status::unavailable || !cell.deciding)
            continue;
        std::string const text =
            fmt::format("{} in {}: {}", cell.workload, cell.engine, cell.reason);
        if (text == last) continue;
        last = text;
        items += notice("bad",
                        cell.status == Status::void_          ? "Void."
                        : cell.status == Status::failed       ? "Failed."
                        : cell.status == Status::incomplete   ? "Too few."
                        : cell.status == Status::inconclusive ? "Inconclusive."
                                                              : "No answer.",
                        text);
    }
    for (EngineRecord const& engine : results.engines)
        if (!engine.usable)
            items += notice("gap", "Not here.",
                            engine.name + ": " + engine.reason +
                                (engine.next_step.empty() ? "" : "; try: " + engine.next_step));
    for (WorkloadRecord const& workload : results.workloads) {
        std::string engines;
        std::string reason;
        for (Column const& column : view.columns) {
            auto const found =
                std::find_if(results.cells.begin(), results.cells.end(), [&](Cell const& cell) {
                    return cell.workload == workload.name && cell.engine == column.engine->name &&
                           cell.deciding && cell.status == Status::unavailable;
                });
            if (found == results.cells.end()) continue;
            engines += (engines.empty() ? "" : ", ") + column.engine->name;
            if (reason.empty()) reason = found->reason;
        }
        if (!engines.empty())
            items +=
                notice("gap", "Not available.", workload.name + " in " + engines + ": " + reason);
    }
    for (std::string const& warning : results.warnings)
        items += notice("warn", "Note.", warning);
    return items.empty() ? std::string() : "<ul class=\"notices\">\n" + items + "</ul>\n";
}

} // namespace iso::bench::report
