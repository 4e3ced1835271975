#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace iso::bench {

/// How text for a person looks where it goes.
struct TableStyle {
    bool colour = false;
    bool unicode = true;
    std::size_t width = 100;

    /// Colour only on a terminal and without NO_COLOR; Unicode unless the locale says otherwise.
    static TableStyle of_terminal(int fd);

    [[nodiscard]] char const* hatch() const { return unicode ? "░" : "~"; }
    [[nodiscard]] char const* dash() const { return unicode ? "–" : "-"; }
    [[nodiscard]] char const* micro() const { return unicode ? "µs" : "us"; }
    [[nodiscard]] char const* times() const { return unicode ? "×" : "x"; }
    [[nodiscard]] std::string bold(std::string text) const { return paint("1", std::move(text)); }
    [[nodiscard]] std::string dim(std::string text) const { return paint("2", std::move(text)); }
    [[nodiscard]] std::string alarm(std::string text) const {
        return paint("1;31", std::move(text));
    }

private:
    [[nodiscard]] std::string paint(char const* code, std::string text) const {
        return colour ? "\x1b[" + std::string(code) + "m" + std::move(text) + "\x1b[0m" : text;
    }
};

/// Columns on a terminal: code points, as nothing here is wide or combining.
std::size_t display_width(std::string_view text);

std::string pad_left(std::string_view text, std::size_t width);
std::string pad_right(std::string_view text, std::size_t width);

/// Breaks a paragraph at blanks; lines after the first begin with `indent` blanks.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent = 0);

/// "5.21 ns", "72.1 µs", "1.94 ms", "2.1 s": three digits that mean something.
std::string format_ns(double ns, TableStyle const& style);

/// "11.5 GB/s", "870 MB/s".
std::string format_rate(double bytes, double ns);

/// Text as it may stand between tags and in quoted attributes of XML and HTML. Control characters,
/// which are in no well-formed document (XML 1.0, section 2.2), are left out.
std::string escape_xml(std::string_view text);

/// Decimals that show a number to about four digits: 1.003, 12.34, 634.
int decimals_for(double value);

} // namespace iso::bench
