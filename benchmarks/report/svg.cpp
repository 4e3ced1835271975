#include "benchmarks/report/svg.hpp"

#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/markup.hpp"

#include <fmt/format.h>

namespace iso::bench::report {

namespace {

std::string close(std::string_view tag, std::string_view hint) {
    if (hint.empty()) return "/>\n";
    return fmt::format("><title>{}</title></{}>\n", escape_xml(hint), tag);
}

} // namespace

void Svg::rect(double x, double y, double width, double height, std::string_view style,
               std::string_view hint) {
    body_ += fmt::format(R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}")", style,
                         coordinate(x), coordinate(y), coordinate(width), coordinate(height)) +
             close("rect", hint);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
    body_ += fmt::format(R"(<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>)", style,
                         coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)) +
             "\n";
}

void Svg::path(std::string_view commands, std::string_view style, std::string_view hint) {
    body_ += fmt::format(R"(<path class="{}" d="{}")", style, commands) + close("path", hint);
}

void Svg::text(double x, double y, std::string_view words, std::string_view style) {
    body_ += fmt::format(R"(<text class="{}" x="{}" y="{}">{}</text>)", style, coordinate(x),
                         coordinate(y), escape_xml(words)) +
             "\n";
}

void Svg::rotated(double x, double y, std::string_view words, std::string_view style) {
    body_ +=
        fmt::format("<text class=\"{}\" transform=\"translate({} {}) rotate(-40)\">{}</text>\n",
                    style, coordinate(x), coordinate(y), escape_xml(words));
}

void Svg::diamond(double x, double y, double radius, std::string_view style,
                  std::string_view hint) {
    path(fmt::format("M{} {}l{} {}l{} {}l{} {}z", coordinate(x), coordinate(y - radius),
                     coordinate(radius), coordinate(radius), coordinate(-radius),
                     coordinate(radius), coordinate(-radius), coordinate(-radius)),
         style, hint);
}

void Svg::interval(double low, double high, double y, double cap, std::string_view style) {
    std::string const top = coordinate(y - cap);
    std::string const down = coordinate(2 * cap);
    path(fmt::format("M{0} {1}v{2}M{3} {1}v{2}M{0} {4}H{3}", coordinate(low), top, down,
                     coordinate(high), coordinate(y)),
         style);
}

std::string Svg::finish(double height, std::string_view style) const {
    return fmt::format(
        "<svg id=\"{0}\"{1} viewBox=\"0 0 {2} {3}\" width=\"{2}\" height=\"{3}\" role=\"img\" "
        "aria-labelledby=\"{0}-t {0}-d\">\n<title id=\"{0}-t\">{4}</title>\n"
        "<desc id=\"{0}-d\">{5}</desc>\n{6}</svg>\n",
        escape_xml(id_), style.empty() ? std::string() : fmt::format(" class=\"{}\"", style),
        coordinate(width_), coordinate(height), escape_xml(title_), escape_xml(description_),
        body_);
}

} // namespace iso::bench::report
