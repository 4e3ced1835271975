// The page is written so that it is well-formed XML, too: tests read it with a strict parser.
#include "benchmarks/report/markup.hpp"

#include "benchmarks/harness/text.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

namespace iso::bench::report {

std::string coordinate(double value) {
    std::string text = fmt::format("{:.1f}", value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

std::string figure_of(double value) {
    double const size = std::abs(value);
    if (size == 0) return "0";
    if (size < 0.001) return fmt::format("{:.2g}", value);
    int const decimals = size < 2 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
    return fmt::format("{:.{}f}", value, decimals);
}

std::string signed_figure(double value) {
    double const size = std::abs(value);
    if (size < 0.005) return "0.00";
    return fmt::format("{:+.{}f}", value, size < 10 ? 2 : size < 100 ? 1 : 0);
}

std::string slug(std::string_view text) {
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0)
            out += static_cast<char>(std::tolower(byte));
        else if (!out.empty() && out.back() != '-')
            out += '-';
    }
    while (out.ends_with('-'))
        out.pop_back();
    return out;
}

void Table::add(std::vector<std::string> const& cells) {
    rows_ += "<tr>";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::string const text = i < cells.size() ? escape_xml(cells[i]) : std::string();
        char const* const align = columns_[i].number ? " class=\"n\"" : "";
        rows_ += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", align, text)
                        : fmt::format("<td{}>{}</td>", align, text);
    }
    rows_ += "</tr>\n";
}

std::string Table::box() const {
    std::string head;
    for (Column const& column : columns_)
        head += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"n\"" : "",
                            escape_xml(column.title));
    return fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">"
                       "<table><caption>{0}</caption>\n<thead><tr>{1}</tr></thead>\n"
                       "<tbody>\n{2}</tbody></table></div>\n",
                       escape_xml(caption_), head, rows_);
}

std::string details(std::string_view summary, std::string const& body) {
    return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escape_xml(summary), body);
}

std::string figure(std::string_view id, std::string_view caption, std::string_view note,
                   std::string const& picture, Table const& data) {
    std::string out =
        fmt::format("<figure id=\"{}\">\n<figcaption>{}", escape_xml(id), escape_xml(caption));
    if (!note.empty()) out += fmt::format("<span class=\"note\">{}</span>", escape_xml(note));
    out += "</figcaption>\n" + picture;
    if (!data.empty()) out += details("The numbers", data.box());
    return out + "</figure>\n";
}

} // namespace iso::bench::report
