#include "benchmarks/report/page.hpp"

#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/embedded.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/parts.hpp"
#include "common/version.hpp"

#include <fmt/format.h>

namespace iso::bench::report {

namespace {

// No script and no request can come from this page, whatever is in the results: the browser is
// told so, too (Content Security Policy Level 3).
constexpr char const* k_policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The hatching that marks emulation; every picture of the page refers to it.
constexpr char const* k_patterns =
    "<svg class=\"patterns\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\">"
    "<defs><pattern id=\"hatching\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\"><rect class=\"stripe\" width=\"2\" height=\"5\"/></pattern>"
    "</defs></svg>\n";

std::string head(std::string const& title) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<meta name=\"generator\" content=\"isobench {}\"/>\n<title>{}</title>\n"
        "<style>\n{}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the "
        "results</a>\n{}",
        k_policy, k_version, escape_xml(title), k_style, k_patterns);
}

std::string foot() {
    return fmt::format(
        "<footer><p>Written by isobench {}. This file loads nothing and runs nothing; "
        "all numbers are in it.</p></footer>\n</body>\n</html>\n",
        k_version);
}

} // namespace

std::string page(std::vector<Input> const& inputs, References const& references,
                 OverTime const* past) {
    bool const several = inputs.size() > 1;
    std::string body;
    std::vector<Part> contents;
    if (several) {
        body += side_by_side(inputs, contents);
        if (past == nullptr) body += history(inputs, contents);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::string const prefix = several ? fmt::format("r{}-", i + 1) : std::string();
        View const view(inputs[i].results, prefix, inputs[i].name);
        if (several) {
            contents.push_back({prefix + "result", inputs[i].name});
            body +=
                fmt::format("<h2 id=\"{}result\">{}</h2>\n", prefix, escape_xml(inputs[i].name));
            body += machine_facts(view.results);
        }
        std::vector<Part> inner;
        body += one_result(view, references, inner, several ? 3 : 2);
        if (!several) contents = inner;
    }
    if (past != nullptr) body += over_time(*past, contents);
    if (!inputs.empty()) body += published(references, contents);
    return head("What isolation costs") + masthead(inputs) + navigation(contents) +
           "<main id=\"content\" tabindex=\"-1\">\n" + body + "</main>\n" + foot();
}

} // namespace iso::bench::report
